#include "platform/async/deadline.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

namespace postern::async {

Task<> wait_until(Deadline deadline) {
    namespace asio = boost::asio;
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline.at());
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(AsyncError::cancelled);
    co_return Result<>{};
}

}  // namespace postern::async
