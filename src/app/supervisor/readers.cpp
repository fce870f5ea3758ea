#include "app/supervisor/readers.h"

#include "app/control/control_protocol.h"
#include "app/supervisor/child_process.h"
#include "app/supervisor/roles.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/os/process.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::seconds k_wait_for_room{5};
constexpr std::chrono::seconds k_time_to_end{2};

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
      tasks_(executor) {}

async::Task<control::StartReader::Answer> Readers::start() {
    const auto deadline = Deadline::in(k_wait_for_room);
    while (alive_.size() >= k_readers_max) {
        const auto ended = std::make_shared<async::Signal>(executor_);
        waiting_.push_back(ended);
        auto room = co_await ended->wait(deadline);
        waiting_.remove(ended);
        if (!room) co_return fail(control::ControlError::too_many_readers);
    }
    auto pair = os::socket_pair();
    if (!pair) co_return fail(control::ControlError::no_reader, pair.error().detail());
    auto started = ChildProcess::start(executor_, settings_, std::move(pair->second));
    if (!started) co_return fail(control::ControlError::no_reader, started.error().detail());
    const std::shared_ptr<ChildProcess> child = std::move(*started);
    const auto number = ++started_;
    alive_.emplace(number, child);
    tasks_.spawn("reader", watch(number, child));
    control::StartReader::Answer answer;
    answer.socket = std::move(pair->first);
    answer.number = number;
    co_return std::move(answer);
}

async::Task<ipc::Nothing> Readers::end(std::uint64_t number) {
    if (alive_.contains(number)) tasks_.spawn("reader_end", kill_later(number));
    co_return ipc::Nothing{};
}

async::Job Readers::kill_later(std::uint64_t number) {
    const auto waited = co_await async::wait_until(Deadline::in(k_time_to_end));
    const auto still = alive_.find(number);
    if (!waited || still == alive_.end()) co_return;
    log(LogLevel::warning, "reader_killed");
    still->second->kill();
}

async::Job Readers::watch(std::uint64_t number, std::shared_ptr<ChildProcess> child) {
    auto status = co_await child->ended();
    alive_.erase(number);
    for (const auto& waiter : std::exchange(waiting_, {}))
        waiter->set();
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
    for (const auto& [number, child] : alive_)
        all.push_back(child->pid());
    return all;
}

void Readers::end_all() {
    for (const auto& [number, child] : alive_)
        tasks_.spawn("reader_end", kill_later(number));
}

void Readers::kill_all() {
    for (const auto& [number, child] : alive_)
        child->kill();
}

}  // namespace postern::app::supervisor
