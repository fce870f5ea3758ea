#pragma once

#include "app/supervisor/roles.h"
#include "foundation/base/clock.h"

#include <chrono>

namespace postern::app::supervisor {

/// How long one ping waits for its answer, and the pause before the next.
inline constexpr std::chrono::milliseconds k_ping_time{2000};
inline constexpr std::chrono::milliseconds k_ping_pause{1000};

/// How long pings may wait in vain, in a row; with the pauses it takes half as long again. No event
/// loop waits for a store, Argon2 or a network: threads do. What holds one up is a few milliseconds
/// of its own work, a log that takes no more lines, memory that was swapped out, and with front the
/// sync of its disk reserve. Keeper's bound leaves a lock or a cut-off, which has 20 s, the time
/// for another keeper.
[[nodiscard]] std::chrono::milliseconds patience_with(Role role);

/// Tells a process that hangs from one that is slow, and from a machine that stood still. Knows no
/// process and no clock.
class Pulse {
public:
    using Time = Deadline::SteadyClock::time_point;

    explicit Pulse(std::chrono::milliseconds patience) : patience_(patience) {}

    /// Also for a process that is another one now.
    void answered() { silence_ = {}; }
    /// A ping of `sent` was given up at `now`; true: the process hangs. Whoever came too late to
    /// give it up stood still as well, and the process may have answered nobody but him: all that
    /// was counted is void.
    [[nodiscard]] bool unanswered(Time sent, Time now);

private:
    std::chrono::milliseconds patience_;
    std::chrono::milliseconds silence_{};
};

}  // namespace postern::app::supervisor
