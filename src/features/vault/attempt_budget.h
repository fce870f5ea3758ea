#pragma once

#include "foundation/base/clock.h"

#include <cstdint>

namespace postern::vault {

/// Wrong secrets in a row at one integration. Charged, durably, before a secret is tried and
/// cleared when it opens: a crash in between costs a try and never gives one.
struct Attempts {
    std::int64_t failed = 0;
    UnixMs blocked_until_ms = 0;
    bool operator==(const Attempts&) const = default;
};

struct AttemptCharge {
    Attempts after;                  ///< to be stored, also where it is refused
    std::int64_t retry_after_s = 0;  ///< not 0: refused
};

inline constexpr std::int64_t k_free_attempts = 5;
inline constexpr std::int64_t k_first_pause_s = 60;
inline constexpr std::int64_t k_longest_pause_s = 3600;

/// Five tries, then one after each pause: 60 s, doubling up to an hour. A clock that was set back
/// lengthens a pause to no more than the longest one.
[[nodiscard]] AttemptCharge charge(const Attempts& before, UnixMs now);

}  // namespace postern::vault
