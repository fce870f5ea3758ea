#include "platform/async/task_group.h"

#include "foundation/base/log.h"
#include "platform/async/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

namespace postern::async {

namespace asio = boost::asio;

struct TaskGroup::State {
    explicit State(asio::any_io_executor e) : executor(std::move(e)), idle(executor) {
        idle.expires_at(asio::steady_timer::time_point::max());
    }
    asio::any_io_executor executor;
    std::list<asio::cancellation_signal> signals;
    asio::steady_timer idle;  // cancelled whenever a job ends
    bool cancelled = false;
};

namespace {

void log_escaped(std::string_view name, const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        // How Asio tells a coroutine that it is being cancelled.
        if (error.code() == asio::error::operation_aborted) return;
        log(LogLevel::error, "job_failed",
            {LogField::sanitised("job", name), LogField::sanitised("what", error.what())});
    } catch (const std::exception& error) {
        log(LogLevel::error, "job_failed",
            {LogField::sanitised("job", name), LogField::sanitised("what", error.what())});
    }
}

/// Asio awaits once more, outside every handler, after a job that ended without having waited: were
/// the job cancelled by then, that would throw out of the loop.
Job shielded(Job job) {
    std::exception_ptr thrown;
    try {
        co_await std::move(job);
    } catch (const std::exception&) {
        thrown = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
    cancel();
}

void TaskGroup::spawn(std::string_view name, Job job) {
    if (state_->cancelled) return;
    const auto at = state_->signals.emplace(state_->signals.end());
    asio::co_spawn(state_->executor, shielded(std::move(job)),
                   asio::bind_cancellation_slot(
                       at->slot(), [state = state_, at, name](const std::exception_ptr& exception) {
                           if (exception) log_escaped(name, exception);
                           state->signals.erase(at);
                           state->idle.cancel();
                       }));
}

void TaskGroup::cancel() {
    state_->cancelled = true;
    // A job that ends at once erases its entry: step on before the signal is sent.
    for (auto at = state_->signals.begin(); at != state_->signals.end();) {
        (at++)->emit(asio::cancellation_type::terminal);
    }
}

Job TaskGroup::join() {
    const auto state = state_;
    while (!state->signals.empty()) {
        co_await state->idle.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

std::size_t TaskGroup::size() const noexcept {
    return state_->signals.size();
}
const asio::any_io_executor& TaskGroup::executor() const noexcept {
    return state_->executor;
}

}  // namespace postern::async
