#include "features/mail/courier/uses.h"

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>

namespace postern::mail::courier {
namespace {

class SetClock final : public Clock {
public:
    UnixMs now = 1000;
    [[nodiscard]] UnixMs now_ms() const override { return now; }
};

class UseRegistryTest : public ::testing::Test {
protected:
    std::shared_ptr<UseRegistry::Use> add(const UseRegistry::Terms& terms) {
        const UseRegistry::Redeeming redeeming(registry);
        auto use = registry.add(redeeming, terms);
        if (!use) return nullptr;
        (*use)->on_end([this] { ++closed; });
        return *use;
    }

    SetClock clock;
    UseRegistry registry{clock};
    IntegrationId one = IntegrationId::make(1);
    IntegrationId two = IntegrationId::make(2);
    GrantId grant = GrantId::make(1);
    GrantId other = GrantId::make(2);
    int closed = 0;
};

TEST_F(UseRegistryTest, end_closes_exactly_what_it_names) {
    struct Row {
        UseRegistry::End end;
        std::uint32_t closed;
        bool lease, granted, foreign;
    };
    const Row rows[] = {
        {{one, true, {}}, 2, true, true, false},      {{one, false, {}}, 1, true, false, false},
        {{one, false, grant}, 1, false, true, false}, {{one, false, other}, 0, false, false, false},
        {{one, true, other}, 2, true, true, false},   {{two, true, {}}, 1, false, false, true},
    };
    for (const auto& row : rows) {
        closed = 0;
        const auto lease = add({one, false, {}, 5000});
        const auto granted = add({one, true, grant, 5000});
        const auto foreign = add({two, false, {}, 5000});
        EXPECT_EQ(registry.end(row.end), row.closed);
        EXPECT_EQ(static_cast<std::uint32_t>(closed), row.closed);
        EXPECT_EQ(lease->ended(), row.lease);
        EXPECT_EQ(granted->ended(), row.granted);
        EXPECT_EQ(foreign->ended(), row.foreign);
        EXPECT_EQ(registry.end(row.end), 0U) << "twice";
    }
}

TEST_F(UseRegistryTest, use_ends_with_its_deadline) {
    const auto use = add({one, false, {}, 2000});
    clock.now = 1999;
    EXPECT_EQ(registry.end_expired(), 0U);
    clock.now = 2000;
    EXPECT_EQ(registry.end_expired(), 1U);
    EXPECT_TRUE(use->ended());
    EXPECT_EQ(add({one, false, {}, 2000}), nullptr);
}

TEST_F(UseRegistryTest, end_while_the_ticket_is_redeemed_counts) {
    const UseRegistry::Redeeming redeeming(registry);
    EXPECT_EQ(registry.end({one, false, {}}), 0U);
    const auto late = registry.add(redeeming, {one, false, {}, 5000});
    ASSERT_FALSE(late);
    EXPECT_TRUE(late.error().is(MailError::use_ended));
    EXPECT_TRUE(registry.add(redeeming, {one, true, grant, 5000})) << "the grant was not ended";
    EXPECT_TRUE(registry.add(redeeming, {two, false, {}, 5000}));
    const UseRegistry::Redeeming later(registry);
    EXPECT_TRUE(registry.add(later, {one, false, {}, 5000}));
}

TEST_F(UseRegistryTest, use_that_went_is_forgotten) {
    add({one, false, {}, 5000});
    EXPECT_EQ(registry.size(), 0U);
    EXPECT_EQ(registry.end({one, true, {}}), 0U);
    const auto without_connection = add({one, false, {}, 5000});
    without_connection->on_end(nullptr);
    EXPECT_EQ(registry.end({one, true, {}}), 0U);
    EXPECT_TRUE(without_connection->ended());
    const auto mine = add({one, false, {}, 5000});
    registry.end_all();
    EXPECT_TRUE(mine->ended());
}

}  // namespace
}  // namespace postern::mail::courier
