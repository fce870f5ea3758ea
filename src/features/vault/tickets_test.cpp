#include "features/vault/tickets.h"

#include "features/vault/places.h"
#include "features/vault/sealing.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/aead.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace postern::vault {
namespace {

constexpr UnixMs k_now = 1'764'000'000'000;
const IntegrationKey k_key{test_id<WorkspaceId>(1), test_id<IntegrationId>(2)};

TicketUse use_of(std::uint64_t epoch = 1, bool by_grant = false) {
    TicketUse use;
    use.key = k_key;
    use.epoch = epoch;
    use.verb = keys::Verb::send;
    use.by_grant = by_grant;
    if (by_grant) use.grant = test_id<GrantId>(4);
    use.until_ms = k_now + 3'600'000;
    use.wrap_key = filled_key(6);
    use.place = credential_place(k_key, epoch);
    use.credential = crypto::seal(
        use.wrap_key, join_content(as_bytes(k_destination), secret_of(k_password)), use.place);
    return use;
}

TEST(Tickets, one_use_within_thirty_seconds) {
    Tickets tickets;
    const auto ticket = tickets.add(use_of(), k_now);
    ASSERT_TRUE(ticket);
    EXPECT_EQ(ticket->size(), 16U);
    const auto redeemed = tickets.redeem(*ticket, k_now + 29'999);
    ASSERT_TRUE(redeemed);
    EXPECT_EQ(redeemed->destination, to_bytes(k_destination));
    EXPECT_EQ(text_of(redeemed->credential), k_password);
    EXPECT_EQ(redeemed->workspace, k_key.workspace);
    EXPECT_EQ(redeemed->integration, k_key.integration);
    EXPECT_EQ(redeemed->verb, keys::Verb::send);
    EXPECT_EQ(redeemed->until_ms, k_now + 3'600'000);
    EXPECT_EQ(code_of(tickets.redeem(*ticket, k_now + 29'999)), "ticket_refused");
}

TEST(Tickets, refuses_late_early_unknown_and_malformed_ones) {
    Tickets tickets;
    const auto late = tickets.add(use_of(), k_now);
    EXPECT_EQ(code_of(tickets.redeem(*late, k_now + 30'000)), "ticket_refused");
    EXPECT_EQ(code_of(tickets.redeem(*late, k_now)), "ticket_refused");  // it was used up
    const auto early = tickets.add(use_of(), k_now);
    EXPECT_EQ(code_of(tickets.redeem(*early, k_now - 1)), "ticket_refused");
    auto ends = use_of();
    ends.until_ms = k_now + 5;
    const auto outlived = tickets.add(std::move(ends), k_now);
    EXPECT_EQ(code_of(tickets.redeem(*outlived, k_now + 5)), "ticket_refused");
    for (const auto& other : {Bytes(), Bytes(15, 1), Bytes(16, 1), Bytes(100'000, 1)}) {
        EXPECT_EQ(code_of(tickets.redeem(other, k_now)), "ticket_refused");
    }
}

TEST(Tickets, go_with_what_stands_behind_them) {
    const auto count = [](auto drop) {
        Tickets tickets;
        (void)tickets.add(use_of(1), k_now);
        (void)tickets.add(use_of(2), k_now);
        (void)tickets.add(use_of(2, true), k_now);
        drop(tickets);
        return tickets.size();
    };
    EXPECT_EQ(count([](Tickets& t) { t.drop_all(k_key); }), 0U);
    EXPECT_EQ(count([](Tickets& t) { t.drop_of_lease(k_key); }), 1U);
    EXPECT_EQ(count([](Tickets& t) { t.drop_of_grant(k_key, test_id<GrantId>(4)); }), 2U);
    EXPECT_EQ(count([](Tickets& t) { t.drop_of_grant(k_key, test_id<GrantId>(5)); }), 3U);
    EXPECT_EQ(count([](Tickets& t) { t.drop_epoch(k_key, 1); }), 2U);
    EXPECT_EQ(count([](Tickets& t) { t.drop_other_epochs(k_key, 1); }), 1U);
    const IntegrationKey other{test_id<WorkspaceId>(9), k_key.integration};
    EXPECT_EQ(count([&](Tickets& t) { t.drop_all(other); }), 3U);
}

TEST(Tickets, number_is_bounded_and_old_ones_make_room) {
    Tickets tickets;
    for (std::size_t i = 0; i < Tickets::k_tickets_max; ++i)
        ASSERT_TRUE(tickets.add(use_of(), k_now));
    const auto refused = tickets.add(use_of(), k_now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "busy");
    EXPECT_GT(refused.error().retry_after_s(), 0);
    EXPECT_TRUE(tickets.add(use_of(), k_now + 30'000));
    EXPECT_EQ(tickets.size(), 1U);
}

}  // namespace
}  // namespace postern::vault
