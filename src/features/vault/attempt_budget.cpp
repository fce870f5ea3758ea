#include "features/vault/attempt_budget.h"

#include "foundation/base/clock.h"

#include <algorithm>
#include <cstdint>

namespace postern::vault {
namespace {

constexpr std::int64_t k_ms = 1000;

/// After the given number of tries in a row.
std::int64_t pause_s(std::int64_t failed) {
    if (failed < k_free_attempts) return 0;
    constexpr std::int64_t k_doublings_max = 6;  // 60 s * 2^6 is over an hour
    const auto doublings = std::min(failed - k_free_attempts, k_doublings_max);
    return std::min(k_first_pause_s << doublings, k_longest_pause_s);
}

}  // namespace

AttemptCharge charge(const Attempts& before, UnixMs now) {
    if (now < before.blocked_until_ms) {
        const auto until = std::min(before.blocked_until_ms, now + k_longest_pause_s * k_ms);
        return {{before.failed, until}, (until - now + k_ms - 1) / k_ms};
    }
    constexpr std::int64_t k_count_max = 1'000'000;
    const auto failed = std::min(before.failed + 1, k_count_max);
    return {{failed, now + pause_s(failed) * k_ms}, 0};
}

}  // namespace postern::vault
