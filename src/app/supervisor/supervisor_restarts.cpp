// What becomes of the processes while they run: their ends, starting them again, the stop.
#include "app/control/control_protocol.h"
#include "app/supervisor/child_process.h"
#include "app/supervisor/pulse.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/supervisor.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/os/files.h"

#include <sys/wait.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_back_off_first{100};
constexpr milliseconds k_back_off_max{10'000};
/// Who ran so long has recovered.
constexpr std::chrono::seconds k_stable_after{60};
constexpr milliseconds k_stop_courier{2000};
constexpr milliseconds k_kill_time{500};

/// What the kernel tells of a process ("self": of us); empty where it does not.
std::string status_of(const std::string& process) {
    constexpr std::size_t k_status_bytes_max = 64 * 1024;
    return os::read_file("/proc/" + process + "/status", k_status_bytes_max).value_or("");
}

}  // namespace

void Supervisor::on_ended(Slot& slot, int status) {
    slot.control->close();
    slot.gone.set();
    for (const auto& signal : std::exchange(slot.awaiting_end, {}))
        signal->set();
    // On the way out one that crashed is told, too.
    if (stopping_ && (slot.child->was_killed() || status == 0)) return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) log_violation(name_of(slot.role));
    if (slot.role == Role::front) readers_.end_all();
    log(LogLevel::error, "process_ended",
        {LogField::sanitised("role", name_of(slot.role)),
         {"signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0},
         {"status", WIFEXITED(status) ? WEXITSTATUS(status) : 0}});
    auto* courier = find(Role::courier);
    if (!stopping_ && slot.role != Role::courier && courier != nullptr && courier->running()) {
        courier->child->kill();
    }
}

async::Task<ipc::Nothing> Supervisor::end_courier() {
    auto* courier = find(Role::courier);
    if (courier == nullptr || !courier->running()) co_return ipc::Nothing{};
    log(LogLevel::error, "process_killed", {LogField::sanitised("role", name_of(Role::courier))});
    const auto gone = std::make_shared<async::Signal>(executor_);
    courier->awaiting_end.push_back(gone);
    courier->ended_for_keeper = true;
    courier->child->kill();
    auto ended = co_await gone->wait(Deadline::in(k_kill_time));
    if (!ended) co_return fail(std::move(ended.error()));
    co_return ipc::Nothing{};
}

async::Task<control::ListProcesses::Answer> Supervisor::list_processes() const {
    control::ListProcesses::Answer answer{status_of("self"), {}};
    for (const auto& slot : slots_) {
        if (!slot.running()) continue;
        const auto pid = std::to_string(slot.child->pid());
        answer.children.push_back({name_of(slot.role), status_of(pid)});
    }
    for (const auto pid : readers_.pids())
        answer.children.push_back({name_of(Role::reader), status_of(std::to_string(pid))});
    co_return answer;
}

async::Job Supervisor::keep(Slot* slot) {
    while (true) {
        const auto child = slot->child;
        auto status = co_await child->ended();
        if (!status) co_return;
        on_ended(*slot, *status);
        const bool was_ready = slot->outcome && slot->outcome->has_value();
        const bool is_refusal =
            !was_ready && !slot->ended_for_keeper && slot->back_off == milliseconds(0);
        if (stopping_ || options_.offline || is_refusal) co_return;
        if (Deadline::SteadyClock::now() - slot->since > k_stable_after) {
            slot->back_off = milliseconds(0);
        }
        while (!slot->running() && !stopping_) {
            slot->back_off = std::clamp(slot->back_off * 2, k_back_off_first, k_back_off_max);
            auto waited = co_await async::wait_until(Deadline::in(slot->back_off));
            if (!waited) co_return;
            co_await revive(slot);
        }
    }
}

async::Job Supervisor::revive(Slot* slot) {
    if (stopping_) co_return;
    if (slot->role == Role::courier) {
        auto* keeper = find(Role::keeper);
        auto* front = find(Role::front);
        // Its partners' own back-off is what it waits for.
        slot->back_off = k_back_off_first;
        if (!keeper->running() || !front->running()) co_return;
    }
    if (auto launched = launch(*slot); !launched) {
        log(LogLevel::error, "process_not_started",
            {LogField::sanitised("code", launched.error().code)});
        co_return;
    }
    slot->ended_for_keeper = false;
    co_await connect_partners(slot);
    co_await begin(slot);
    if (slot->up()) {
        log(LogLevel::info, "process_restarted",
            {LogField::sanitised("role", name_of(slot->role))});
        co_return;
    }
    const auto refused = slot->outcome ? slot->outcome->error() : control::Refusal{};
    log(LogLevel::error, "process_refused",
        {LogField::sanitised("role", name_of(slot->role)),
         LogField::sanitised("code", refused.code), LogField::sanitised("detail", refused.detail)});
    slot->child->kill();
}

/// Only once it is up: before, it opens its stores on its event loop, which takes as long as a
/// migration or a server that is away.
async::Job Supervisor::ping(Slot* slot, Pulse* pulse) {
    const auto child = slot->child;
    const auto control = slot->control;
    const auto sent = Deadline::SteadyClock::now();
    auto answer = co_await ipc::call(control.get(), control::Ping{}, Deadline::in(k_ping_time));
    if (answer || slot->child != child || !slot->up() || child->was_killed()) {
        pulse->answered();
        co_return;
    }
    if (!answer.error().is(async::AsyncError::deadline_passed)) co_return;
    if (!pulse->unanswered(sent, Deadline::SteadyClock::now())) co_return;
    log(LogLevel::error, "process_hangs", {LogField::sanitised("role", name_of(slot->role))});
    pulse->answered();
    child->kill();
}

async::Job Supervisor::watch(Slot* slot) {
    Pulse pulse(patience_with(slot->role));
    while (!stopping_) {
        auto waited = co_await async::wait_until(Deadline::in(k_ping_pause));
        if (!waited) co_return;
        if (slot->up() && !stopping_) co_await ping(slot, &pulse);
    }
}

async::Job Supervisor::stop(Slot* slot, Deadline deadline) {
    if (!slot->running()) co_return;
    const auto control = slot->control;
    control::Stop ask{static_cast<std::uint32_t>(deadline.left().count())};
    (void)co_await ipc::call(control.get(), ask, deadline);
    while (slot->running() && !deadline.passed())
        (void)co_await slot->gone.wait(deadline);
    if (!slot->running()) co_return;
    log(LogLevel::warning, "process_killed", {LogField::sanitised("role", name_of(slot->role))});
    slot->child->kill();
    const auto killed = Deadline::in(k_kill_time);
    while (slot->running() && !killed.passed())
        (void)co_await slot->gone.wait(killed);
}

async::Job Supervisor::stop(milliseconds time) {
    stopping_ = true;
    const auto all = Deadline::in(time);
    if (auto* front = find(Role::front)) co_await stop(front, all);
    readers_.kill_all();
    const auto rest = Deadline::in(k_stop_courier);
    if (auto* courier = find(Role::courier)) co_await stop(courier, rest);
    if (auto* keeper = find(Role::keeper)) co_await stop(keeper, rest);
    tasks_.cancel();
    co_await tasks_.join();
}

void Supervisor::kill_all() {
    stopping_ = true;
    readers_.kill_all();
    for (const auto& slot : slots_) {
        if (slot.running()) slot.child->kill();
    }
}

}  // namespace postern::app::supervisor
