#pragma once

#include <cstdint>

namespace postern::identity {

/// How sign-in attempts at one address are slowed down. An attempt is counted before the password
/// is looked at, and the count goes when one succeeds.
inline constexpr std::int64_t k_free_attempts = 5;
inline constexpr std::int64_t k_pause_first_s = 30;
/// Bounds what somebody who guesses at another's address can do to them.
inline constexpr std::int64_t k_pause_max_s = 15 * 60;
/// Counts are forgotten after that.
inline constexpr std::int64_t k_attempts_kept_s = 24 * 3600;

/// Wrong passwords from one network, at whatever addresses, in each stretch of time: more are not
/// looked at. Enough for an office whose people mistype.
inline constexpr std::int64_t k_wrong_at_place_max = 60;
inline constexpr std::int64_t k_wrong_stretch_s = 300;

/// For how long nothing is tried after the attempt with this number (from 1).
[[nodiscard]] std::int64_t pause_after_attempt_s(std::int64_t number);

}  // namespace postern::identity
