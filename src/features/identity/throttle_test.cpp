#include "features/identity/throttle.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <limits>

namespace postern::identity {
namespace {

TEST(Throttle, first_attempts_are_free_then_pauses_double_up_to_the_bound) {
    for (std::int64_t number = 0; number < k_free_attempts; ++number)
        EXPECT_EQ(pause_after_attempt_s(number), 0);
    EXPECT_EQ(pause_after_attempt_s(k_free_attempts), k_pause_first_s);
    EXPECT_EQ(pause_after_attempt_s(k_free_attempts + 1), 2 * k_pause_first_s);
    EXPECT_EQ(pause_after_attempt_s(k_free_attempts + 10), k_pause_max_s);
    EXPECT_EQ(pause_after_attempt_s(std::numeric_limits<std::int64_t>::max()), k_pause_max_s);
}

}  // namespace
}  // namespace postern::identity
