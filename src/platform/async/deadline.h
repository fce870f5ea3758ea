#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>

namespace postern::async {

namespace detail {
struct DeadlineState {
    explicit DeadlineState(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    boost::asio::cancellation_signal signal;
    bool expired = false;
    bool finished = false;
};
}  // namespace detail

/// Runs `work` and cancels it when the deadline passes; the only place that spells a time-out.
/// Errors: AsyncError::deadline_passed, else what `work` returns.
template <typename T>
Task<T> with_deadline(Deadline deadline, Task<T> work) {
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    auto parent = co_await asio::this_coro::cancellation_state;
    auto state = std::make_shared<detail::DeadlineState>(executor);
    state->timer.expires_at(deadline.at());
    state->timer.async_wait([state](boost::system::error_code error) {
        if (error || state->finished) return;
        state->expired = true;
        state->signal.emit(asio::cancellation_type::terminal);
    });
    if (parent.slot().is_connected()) {
        parent.slot().assign([state](asio::cancellation_type type) { state->signal.emit(type); });
    }
    auto [exception, result] = co_await asio::co_spawn(
        executor, std::move(work),
        asio::bind_cancellation_slot(state->signal.slot(), asio::as_tuple(asio::use_awaitable)));
    state->finished = true;
    state->timer.cancel();
    if (parent.slot().is_connected()) parent.slot().clear();
    if (exception) std::rethrow_exception(exception);
    if (!result && state->expired) co_return fail(AsyncError::deadline_passed);
    co_return std::move(result);
}

/// Resumes at the deadline, or earlier with AsyncError::cancelled.
Task<> wait_until(Deadline deadline);

}  // namespace postern::async
