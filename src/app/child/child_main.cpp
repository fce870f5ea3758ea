#include "app/child/child_main.h"

#include "app/child/state.h"
#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/fence/fence.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/loop.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/os/process.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern::app::child {
namespace {

constexpr std::chrono::hours k_start_time{24};

bool set_signals() {
    sigset_t none;
    sigemptyset(&none);
    // The supervisor decides when a child ends: Ctrl-C reaches the whole group of a terminal.
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) {
        if (std::signal(number, SIG_IGN) == SIG_ERR) return false;
    }
    return ::pthread_sigmask(SIG_SETMASK, &none, nullptr) == 0;
}

}  // namespace

bool prepare_process(std::string_view role) {
    set_log_process(role);
    ::umask(077);
    // An executable without a path has the descriptor's number for a name.
    const std::string name = "postern-" + std::string(role);
    const bool named = ::prctl(PR_SET_NAME, name.c_str(), 0, 0, 0) == 0;
    const auto hardened = os::harden_process();
    if (named && hardened && set_signals()) return true;
    log(LogLevel::error, "process_not_hardened");
    return false;
}

Runtime::State::State(async::Loop& on, const Role& its_role)
    : loop(on),
      role(its_role),
      executor(on.executor()),
      answered(executor),
      stopping(executor),
      tasks(executor),
      own(executor) {
    router.on<control::Start>([this](control::Start asked) { return on_start(std::move(asked)); });
    router.on<control::Look>([this](control::Look asked) { return on_look(std::move(asked)); });
    router.on<control::Attach>(
        [this](control::Attach asked) { return on_attach(std::move(asked)); });
    router.on<control::Ping>([this](control::Ping) { return on_ping(); });
    router.on<control::Stop>([this](control::Stop asked) { return on_stop(asked); });
    if (role.prepare) role.prepare(router);
    control = std::make_shared<ipc::Peer>(executor, os::Fd(control::k_control_descriptor),
                                          router.handler());
}

/// Once, before the role has threads, and has read anything but its supervisor's word.
Result<> Runtime::State::enter_fence(const config::Config& config) {
    if (std::exchange(is_fenced, true)) return {};
    if (const auto level = parse_log_level(config.log_level)) set_log_level(*level);
    missing_isolation = fence::missing_isolation(config);
    if (role.before_fence) role.before_fence(config);
    return fence::enter(role.fence(config));
}

async::Task<control::Look::Answer> Runtime::State::on_look(control::Look asked) {
    if (is_started || !role.look) co_return fail(control::ControlError::out_of_order);
    control::Look::Answer answer_to_it;
    auto looked = Result<bool>(false);
    if (auto fenced = enter_fence(asked.config); fenced) {
        looked = role.look(asked.store);
    } else {
        looked = fail(std::move(fenced.error()));
    }
    if (looked) {
        answer_to_it.behind = *looked;
    } else {
        answer_to_it.refused = control::refusal_of(looked.error());
    }
    co_return answer_to_it;
}

async::Task<control::Start::Answer> Runtime::State::on_start(control::Start asked) {
    if (is_started) co_return fail(control::ControlError::out_of_order);
    is_started = true;
    start = std::move(asked);
    if (auto fenced = enter_fence(start.config); !fenced) {
        refuse(fenced.error());
        co_return answer;
    }
    own.spawn("role", run_role());
    auto waited = co_await answered.wait(Deadline::in(k_start_time));
    if (!waited) co_return fail(std::move(waited.error()));
    co_return answer;
}

async::Task<ipc::Nothing> Runtime::State::on_attach(control::Attach asked) {
    const auto found = link_functions.find(asked.partner);
    if (found != link_functions.end()) {
        found->second(std::move(asked.socket));
    } else {
        waiting_links[asked.partner].push_back(std::move(asked.socket));
    }
    co_return ipc::Nothing{};
}

async::Task<ipc::Nothing> Runtime::State::on_ping() {
    co_return ipc::Nothing{};
}

async::Task<ipc::Nothing> Runtime::State::on_stop(control::Stop asked) {
    stop_deadline = Deadline::in(std::chrono::milliseconds(asked.deadline_ms));
    is_stopping = true;
    stopping.set();
    // Nothing was begun that would have to end.
    if (!is_started) end(0);
    co_return ipc::Nothing{};
}

void Runtime::State::refuse(const Error& error) {
    answer.refused = control::refusal_of(error);
    answered.set();
}

async::Job Runtime::State::run_role() {
    Result<> ended;
    try {
        ended = co_await role.run(runtime);
    } catch (const std::exception& exception) {
        // What its jobs work with is gone: not one of them may go on.
        log(LogLevel::error, "role_failed", {LogField::sanitised("what", exception.what())});
        std::_Exit(1);
    }
    if (!ended) {
        log(LogLevel::error, "role_ended",
            {{"error", ended.error()}, LogField::sanitised("detail", ended.error().detail())});
    }
    // A job that outlived its role would work with what is gone.
    POSTERN_CHECK(tasks.size() == 0);
    // The supervisor closes the connection when it has the answer.
    if (!ended && !is_ready) co_return refuse(ended.error());
    end(ended ? 0 : 1);
}

async::Job Runtime::State::run_control() {
    const auto peer = control;
    co_await peer->run();
    // No supervisor, no reason to be; nothing acknowledged is lost by an end at any moment.
    end(is_stopping ? 0 : 1);
}

void Runtime::State::end(int status) {
    exit_status = status;
    loop.stop();
}

int run_child(int argc, char** argv, const Role& role) {
    // argv names the data directory, so that operators tell instances apart; nothing else is in it.
    (void)argc;
    (void)argv;
    if (!prepare_process(role.name)) return 1;
    async::Loop loop;
    Runtime::State state(loop, role);
    state.own.spawn("control", state.run_control());
    loop.run();
    return state.exit_status;
}

}  // namespace postern::app::child
