#pragma once

#include "app/supervisor/outcome.h"
#include "platform/async/loop.h"
#include "platform/async/task_group.h"

#include <exception>
#include <optional>
#include <utility>

namespace postern::app::supervisor {

namespace detail {
template <typename T>
async::Job take(OutcomeTask<T> work, std::optional<Outcome<T>>* outcome, async::Loop* loop) {
    try {
        outcome->emplace(co_await std::move(work));
    } catch (const std::exception& exception) {
        outcome->emplace(refuse(SupervisorError::child_failed, exception.what()));
    }
    loop->stop();
}
}  // namespace detail

/// Runs `work(executor)`, a coroutine, on a loop of its own and returns what it returned.
template <typename T, typename F>
Outcome<T> run_alone(F work) {
    async::Loop loop;
    std::optional<Outcome<T>> outcome;
    async::TaskGroup tasks(loop.executor());
    tasks.spawn("command", detail::take<T>(work(loop.executor()), &outcome, &loop));
    loop.run();
    if (!outcome) return refuse(SupervisorError::interrupted);
    return std::move(*outcome);
}

}  // namespace postern::app::supervisor
