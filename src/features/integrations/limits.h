#pragma once

#include "foundation/base/clock.h"

#include <chrono>

namespace postern::integrations {

/// Keeper answers at once except for Argon2, which queues.
inline Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}
/// A mail server may take its time over a sign-in.
inline Deadline provider_deadline() {
    return Deadline::in(std::chrono::seconds(60));
}

/// In the request itself, before it is left to recover().
inline constexpr int k_finish_tries = 5;

/// Rows of grants that are looked at in one step.
inline constexpr std::int64_t k_grants_page = 500;

inline constexpr std::int64_t k_grant_min_s = 60;
inline constexpr std::int64_t k_grant_max_s = 366LL * 86400;
inline constexpr std::uint32_t k_hourly_ceiling_default = 600;

}  // namespace postern::integrations
