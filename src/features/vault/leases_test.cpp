#include "features/vault/leases.h"

#include "features/vault/places.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace postern::vault {
namespace {

constexpr UnixMs k_now = 1'764'000'000'000;
constexpr UnixMs k_hour = 3'600'000;

IntegrationKey key_of(std::uint8_t number) {
    return {test_id<WorkspaceId>(1), test_id<IntegrationId>(number)};
}
IntegrationSecret secret() {
    return std::make_shared<const Secret>(filled_key(5));
}

TEST(Leases, end_at_their_deadline) {
    Leases leases{LeaseLimits{}};
    ASSERT_TRUE(leases.open(key_of(1), 3, secret(), 3600, k_now));
    const auto lease = leases.find(key_of(1), k_now);
    EXPECT_TRUE(lease.open);
    EXPECT_EQ(lease.epoch, 3U);
    EXPECT_EQ(lease.until_ms, k_now + k_hour);
    EXPECT_TRUE(leases.secret(key_of(1), 3, k_now + k_hour - 1));
    EXPECT_FALSE(leases.secret(key_of(1), 3, k_now + k_hour));
    EXPECT_FALSE(leases.find(key_of(1), k_now + k_hour).open);
    EXPECT_EQ(leases.next_expiry(), k_now + k_hour);
    EXPECT_TRUE(leases.expire(k_now + k_hour - 1).empty());
    const auto ended = leases.expire(k_now + k_hour);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].key, key_of(1));
    EXPECT_FALSE(ended[0].idle);
    EXPECT_FALSE(leases.next_expiry());
}

TEST(Leases, length_has_a_default_and_a_maximum) {
    Leases leases{LeaseLimits{}};
    ASSERT_TRUE(leases.open(key_of(1), 1, secret(), 0, k_now));
    EXPECT_EQ(leases.find(key_of(1), k_now).until_ms, k_now + 12 * k_hour);
    ASSERT_TRUE(leases.open(key_of(1), 1, secret(), -5, k_now));
    EXPECT_EQ(leases.find(key_of(1), k_now).until_ms, k_now + 12 * k_hour);
    ASSERT_TRUE(leases.open(key_of(1), 1, secret(), std::int64_t{1} << 62U, k_now));
    EXPECT_EQ(leases.find(key_of(1), k_now).until_ms, k_now + 7 * 24 * k_hour);
}

TEST(Leases, idle_limit_moves_only_by_a_touch_and_never_back_to_life) {
    Leases leases{LeaseLimits{}};
    ASSERT_TRUE(leases.open(key_of(1), 1, secret(), 24 * 3600, k_now));
    EXPECT_EQ(leases.find(key_of(1), k_now).idle_until_ms, k_now + 8 * k_hour);
    // Use does not count as a person's act.
    EXPECT_TRUE(leases.secret(key_of(1), 1, k_now + 7 * k_hour));
    EXPECT_EQ(leases.find(key_of(1), k_now).idle_until_ms, k_now + 8 * k_hour);
    leases.touch(key_of(1), k_now + 7 * k_hour);
    EXPECT_EQ(leases.find(key_of(1), k_now).idle_until_ms, k_now + 15 * k_hour);
    leases.touch(key_of(1), k_now + 15 * k_hour);
    EXPECT_FALSE(leases.find(key_of(1), k_now + 15 * k_hour).open);
    const auto ended = leases.expire(k_now + 15 * k_hour);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_TRUE(ended[0].idle);
    leases.touch(key_of(2), k_now);  // none there
    EXPECT_FALSE(leases.find(key_of(2), k_now).open);
}

TEST(Leases, secret_is_of_one_epoch_and_one_integration) {
    Leases leases{LeaseLimits{}};
    ASSERT_TRUE(leases.open(key_of(1), 3, secret(), 3600, k_now));
    EXPECT_FALSE(leases.secret(key_of(1), 2, k_now));
    EXPECT_FALSE(leases.secret(key_of(1), 4, k_now));
    EXPECT_FALSE(leases.secret(key_of(2), 3, k_now));
    EXPECT_FALSE(leases.secret({test_id<WorkspaceId>(2), test_id<IntegrationId>(1)}, 3, k_now));
    EXPECT_TRUE(leases.drop(key_of(1)));
    EXPECT_FALSE(leases.drop(key_of(1)));
    EXPECT_FALSE(leases.secret(key_of(1), 3, k_now));
}

TEST(Leases, pending_key_waits_for_a_quarter_of_an_hour) {
    Leases leases{LeaseLimits{}};
    ASSERT_TRUE(leases.hold_pending(key_of(1), 4, secret(), k_now));
    EXPECT_FALSE(leases.find(key_of(1), k_now).open);
    EXPECT_TRUE(leases.pending(key_of(1), 4, k_now));
    EXPECT_FALSE(leases.pending(key_of(1), 5, k_now));
    EXPECT_FALSE(leases.pending(key_of(1), 4, k_now + k_hour / 4));
    EXPECT_TRUE(leases.expire(k_now + k_hour / 4).empty());
    EXPECT_FALSE(leases.pending(key_of(1), 4, k_now));
}

TEST(Leases, number_is_bounded) {
    Leases leases{LeaseLimits{}};
    const auto shared = secret();
    const auto nth = [](std::size_t n) {
        std::array<std::uint8_t, 16> id{};
        id[0] = static_cast<std::uint8_t>(n);
        id[1] = static_cast<std::uint8_t>(n >> 8U);
        return IntegrationKey{{}, IntegrationId(id)};
    };
    for (std::size_t i = 0; i < Leases::k_leases_max; ++i)
        ASSERT_TRUE(leases.open(nth(i), 1, shared, 60, k_now));
    EXPECT_FALSE(leases.open(nth(Leases::k_leases_max), 1, shared, 60, k_now));
    EXPECT_TRUE(leases.open(nth(0), 1, shared, 60, k_now));
    for (std::size_t i = 0; i < Leases::k_pending_max; ++i)
        ASSERT_TRUE(leases.hold_pending(nth(i), 1, shared, k_now));
    EXPECT_FALSE(leases.hold_pending(nth(Leases::k_pending_max), 1, shared, k_now));
}

}  // namespace
}  // namespace postern::vault
