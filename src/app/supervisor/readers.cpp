#include "app/supervisor/readers.h"

#include "app/control/control_protocol.h"
#include "app/supervisor/child_process.h"
#include "app/supervisor/roles.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/os/process.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::seconds k_wait_for_room{5};

}  // namespace

Readers::Readers(const boost::asio::any_io_executor& executor,
                 int program,
                 std::string instance,
                 bool only_log_calls)
    : executor_(executor),
      settings_{.role = Role::reader,
                .program = program,
                .directory = -1,
                .instance = std::move(instance),
                .only_log_calls = only_log_calls},
      ended_(executor),
      tasks_(executor) {}

async::Task<control::StartReader::Answer> Readers::start() {
    const auto deadline = Deadline::in(k_wait_for_room);
    while (alive_.size() >= k_readers_max) {
        auto room = co_await ended_.wait(deadline);
        if (!room) co_return fail(control::ControlError::too_many_readers);
    }
    auto pair = os::socket_pair();
    if (!pair) co_return fail(control::ControlError::no_reader, pair.error().detail());
    auto started = ChildProcess::start(executor_, settings_, std::move(pair->second));
    if (!started) co_return fail(control::ControlError::no_reader, started.error().detail());
    const std::shared_ptr<ChildProcess> child = std::move(*started);
    alive_.insert(child);
    tasks_.spawn("reader", watch(child));
    control::StartReader::Answer answer;
    answer.socket = std::move(pair->first);
    co_return std::move(answer);
}

async::Job Readers::watch(std::shared_ptr<ChildProcess> child) {
    auto status = co_await child->ended();
    alive_.erase(child);
    ended_.set();
    if (status && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGSYS) {
        log_violation(name_of(Role::reader));
    }
    if (status && *status != 0) {
        log(LogLevel::warning, "reader_ended",
            {{"signal", WIFSIGNALED(*status) ? WTERMSIG(*status) : 0},
             {"status", WIFEXITED(*status) ? WEXITSTATUS(*status) : 0}});
    }
}

std::vector<pid_t> Readers::pids() const {
    std::vector<pid_t> all;
    all.reserve(alive_.size());
    for (const auto& child : alive_)
        all.push_back(child->pid());
    return all;
}

void Readers::kill_all() {
    for (const auto& child : alive_)
        child->kill();
}

}  // namespace postern::app::supervisor
