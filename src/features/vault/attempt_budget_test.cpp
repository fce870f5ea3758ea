#include "features/vault/attempt_budget.h"

#include "foundation/base/clock.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <limits>

namespace postern::vault {
namespace {

constexpr UnixMs k_start = 1'764'000'000'000;

TEST(AttemptBudget, five_tries_then_pauses_that_double_up_to_an_hour) {
    Attempts attempts;
    UnixMs now = k_start;
    for (int i = 0; i < 5; ++i) {
        const auto charged = charge(attempts, now);
        EXPECT_EQ(charged.retry_after_s, 0) << i;
        attempts = charged.after;
    }
    for (const std::int64_t pause : {60, 120, 240, 480, 960, 1920, 3600, 3600, 3600}) {
        EXPECT_EQ(charge(attempts, now).retry_after_s, pause);
        EXPECT_EQ(charge(attempts, now).after, attempts);
        EXPECT_EQ(charge(attempts, now + pause * 1000 - 1).retry_after_s, 1);
        now += pause * 1000;
        const auto charged = charge(attempts, now);
        EXPECT_EQ(charged.retry_after_s, 0) << pause;
        attempts = charged.after;
    }
}

TEST(AttemptBudget, a_clock_set_back_blocks_for_an_hour_at_most) {
    const Attempts far{7, k_start + 1'000'000'000};
    const auto charged = charge(far, k_start);
    EXPECT_EQ(charged.retry_after_s, 3600);
    EXPECT_EQ(charged.after.blocked_until_ms, k_start + 3'600'000);
    EXPECT_EQ(charged.after.failed, 7);
}

TEST(AttemptBudget, a_stored_count_of_any_size_is_taken) {
    const auto charged = charge({std::numeric_limits<std::int64_t>::max() - 1, 0}, k_start);
    EXPECT_EQ(charged.after.blocked_until_ms, k_start + 3'600'000);
}

}  // namespace
}  // namespace postern::vault
