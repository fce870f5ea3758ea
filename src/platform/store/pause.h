#pragma once

#include <poll.h>
#include <chrono>

namespace postern::store {

/// Holds up a thread that is there to block, between two tries at something outside.
inline void pause(std::chrono::milliseconds time) {
    (void)::poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace postern::store
