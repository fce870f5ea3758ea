#include "platform/async/signal.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace postern::async {

namespace asio = boost::asio;

struct Signal::State {
    explicit State(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool is_set = false;
};

Signal::Signal(const asio::any_io_executor& executor) : state_(std::make_shared<State>(executor)) {}
Signal::~Signal() {
    state_->timer.cancel();
}

void Signal::set() {
    state_->is_set = true;
    state_->timer.cancel();
}

Task<> Signal::wait(Deadline deadline) {
    const auto state = state_;
    if (!state->is_set) {
        state->timer.expires_at(deadline.at());
        const auto [error] = co_await state->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!state->is_set) {
            co_return error ? fail(AsyncError::cancelled) : fail(AsyncError::deadline_passed);
        }
    }
    state->is_set = false;
    co_return Result<>{};
}

}  // namespace postern::async
