#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"

#include <chrono>
#include <utility>

namespace postern::ipc {

/// Between one try and the next, while the process is started again.
inline constexpr std::chrono::milliseconds k_surely_pause{100};

/// Asks, and asks again where the other process ended before it answered: one that hangs is ended,
/// too, and another answers within the deadline. For what may be done twice.
/// Errors: IpcError::closed when none came in time, and those of Link::call().
template <typename Method>
async::Task<typename Method::Answer> call_surely(Link* link, Method method, Deadline deadline) {
    while (true) {
        Method copy = method;
        auto answer = co_await link->call(std::move(copy), deadline);
        if (answer || !answer.error().is(IpcError::closed) || deadline.passed()) {
            co_return answer;
        }
        const auto waited = co_await async::wait_until(deadline.at_most(k_surely_pause));
        if (!waited) co_return fail(waited.error());
    }
}

}  // namespace postern::ipc
