#include "features/vault/opening_ceiling.h"

#include "features/vault/vault_values_test.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"

#include <cstdint>

namespace postern::vault {
namespace {

constexpr UnixMs k_minute_start = 60'000 * 29'400'000LL;
const auto k_workspace = test_id<WorkspaceId>(1);

TEST(OpeningCeiling, bounds_one_handle_by_the_minute) {
    OpeningCeiling ceiling;
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(ceiling.charge(k_workspace, 7, 5000, k_minute_start).retry_after_s, 0);
    }
    const auto refused = ceiling.charge(k_workspace, 7, 1, k_minute_start + 20'000);
    EXPECT_EQ(refused.retry_after_s, 40);
    EXPECT_TRUE(refused.first);
    EXPECT_FALSE(ceiling.charge(k_workspace, 7, 1, k_minute_start + 20'000).first);
    EXPECT_EQ(ceiling.charge(k_workspace, 8, 5000, k_minute_start).retry_after_s, 0);
    EXPECT_EQ(ceiling.charge(k_workspace, 7, 5000, k_minute_start + 60'000).retry_after_s, 0);
}

TEST(OpeningCeiling, bounds_a_workspace_over_all_its_handles) {
    OpeningCeiling ceiling;
    for (std::uint64_t i = 0; i < 200; ++i) {
        EXPECT_EQ(ceiling.charge(k_workspace, i, 5000, k_minute_start).retry_after_s, 0);
    }
    EXPECT_GT(ceiling.charge(k_workspace, 1000, 1, k_minute_start).retry_after_s, 0);
    EXPECT_GT(ceiling.charge(k_workspace, 1, k_minute_start).retry_after_s, 0);
    EXPECT_EQ(ceiling.charge(test_id<WorkspaceId>(2), 1, 1, k_minute_start).retry_after_s, 0);
}

TEST(OpeningCeiling, made_up_handles_share_one_count) {
    OpeningCeiling ceiling;
    for (std::uint64_t i = 0; i < OpeningCeiling::k_handles_max; ++i)
        EXPECT_EQ(ceiling.charge(k_workspace, i, 0, k_minute_start).retry_after_s, 0);
    const auto other = test_id<WorkspaceId>(2);
    EXPECT_EQ(ceiling.charge(other, 1'000'001, 60'000, k_minute_start).retry_after_s, 0);
    EXPECT_GT(ceiling.charge(other, 1'000'002, 60'000, k_minute_start).retry_after_s, 0);
}

}  // namespace
}  // namespace postern::vault
