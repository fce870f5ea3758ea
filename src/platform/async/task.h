#pragma once

#include "foundation/base/result.h"

#include <boost/asio/awaitable.hpp>

namespace postern::async {

/// Every asynchronous function of ours returns one. Arguments are passed by value or owned; a
/// reference only where the caller awaits in the same expression. T is default-constructible.
template <typename T = void>
using Task = boost::asio::awaitable<Result<T>>;

/// A coroutine that handles its own errors: what TaskGroup runs.
using Job = boost::asio::awaitable<void>;

enum class AsyncError { deadline_passed, cancelled, busy };

constexpr ErrorInfo describe(AsyncError error) {
    switch (error) {
        case AsyncError::deadline_passed:
            return {"deadline_passed", "This took too long and was given up."};
        case AsyncError::cancelled: return {"cancelled", "The server is stopping."};
        case AsyncError::busy:
            return {"busy", "Too much is going on at the moment. Please try again."};
    }
    return {"cancelled", "The server is stopping."};
}

}  // namespace postern::async
