#include "features/vault/grant_service.h"  // IWYU pragma: keep

#include "features/vault/grants.h"
#include "features/vault/keyring_store.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <semaphore>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::Verb;

constexpr std::string_view k_secret = "maple-otter-violin";
constexpr keys::Verbs k_both = 3;  // send and read replies

class GrantServiceTest : public VaultTest {
protected:
    keys::MakeGrant wish() {
        keys::MakeGrant asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.grant = GrantId::make(clock.now);
        asked.seal = seal;
        asked.secret = typed(k_secret);
        asked.verbs = k_both;
        asked.hourly_ceiling = 3;
        asked.expires_at_ms = clock.now + k_day_ms;
        return asked;
    }

    keys::Seal seal = connect(k_secret);
};

TEST_F(GrantServiceTest, works_without_a_lease_and_over_a_restart) {
    const auto granted = grant(seal, k_secret, k_both);
    ASSERT_TRUE(granted);
    for (int i = 0; i < 2; ++i) {
        const auto ticket = mint(seal, {*granted}, Verb::read_replies);
        ASSERT_TRUE(ticket);
        EXPECT_TRUE(ticket->by_grant);
        EXPECT_EQ(ticket->grant, granted->grant);
        EXPECT_EQ(ticket->until_ms, granted->expires_at_ms);
        const auto redeemed = keeper->redeem(ticket->ticket);
        ASSERT_TRUE(redeemed);
        EXPECT_EQ(text_of(redeemed->credential), k_password);
        EXPECT_EQ(redeemed->destination, to_bytes(k_destination));
        EXPECT_EQ(redeemed->verb, Verb::read_replies);
        EXPECT_TRUE(redeemed->by_grant);
        start_keeper();
    }
    EXPECT_FALSE(status().lease.open);
}

TEST_F(GrantServiceTest, lease_comes_before_grants) {
    const auto granted = grant(seal, k_secret);
    ASSERT_TRUE(unlock(seal, k_secret));
    EXPECT_FALSE(mint(seal, {*granted})->by_grant);
    EXPECT_FALSE(mint(seal, {}, Verb::call)->by_grant);  // a lease needs no verb
}

TEST_F(GrantServiceTest, permits_only_its_verbs) {
    const auto granted = grant(seal, k_secret, k_both);
    EXPECT_TRUE(mint(seal, {*granted}, Verb::send));
    EXPECT_TRUE(mint(seal, {*granted}, Verb::read_replies));
    EXPECT_EQ(code_of(mint(seal, {*granted}, Verb::call)), "integration_sealed");
    EXPECT_EQ(code_of(mint(seal, {*granted}, Verb::verify)), "integration_sealed");
    EXPECT_EQ(code_of(mint(seal, {*granted}, static_cast<Verb>(0))), "internal_error");
    EXPECT_EQ(code_of(mint(seal, {*granted}, static_cast<Verb>(3))), "internal_error");
}

TEST_F(GrantServiceTest, tampered_ones_do_not_open) {
    const auto granted = grant(seal, k_secret);
    auto longer = *granted;
    longer.expires_at_ms += 1;
    auto wider = *granted;
    wider.verbs = 15;
    auto faster = *granted;
    faster.hourly_ceiling = 1'000'000;
    auto changed = *granted;
    changed.credential.back() ^= 1;
    for (const auto& bad : {longer, wider, faster, changed}) {
        EXPECT_EQ(code_of(mint(seal, {bad})), "cannot_open");
    }
    EXPECT_TRUE(mint(seal, {longer, *granted}));
}

TEST_F(GrantServiceTest, ends_at_its_expiry) {
    const auto granted = grant(seal, k_secret);
    const auto ticket = mint(seal, {*granted});
    clock.now = granted->expires_at_ms - 1;
    EXPECT_TRUE(mint(seal, {*granted}));
    clock.now += 1;
    EXPECT_EQ(code_of(mint(seal, {*granted})), "integration_sealed");
    EXPECT_EQ(code_of(keeper->redeem(ticket->ticket)), "ticket_refused");
}

TEST_F(GrantServiceTest, key_of_an_expired_one_is_destroyed_by_the_sweep) {
    const auto granted = grant(seal, k_secret);
    clock.now = granted->expires_at_ms;
    keeper->sweep();
    clock.now -= 1000;  // also where somebody sets the clock back
    EXPECT_EQ(code_of(mint(seal, {*granted})), "integration_sealed");
    EXPECT_TRUE(status().grants.empty());
}

TEST_F(GrantServiceTest, hourly_ceiling_is_durable_and_starts_anew_each_hour) {
    clock.now = clock.now / 3'600'000 * 3'600'000 + 600'000;  // ten past
    const auto granted = grant(seal, k_secret, k_send, 3);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(mint(seal, {*granted})) << i;
        start_keeper();
    }
    const auto refused = mint(seal, {*granted});
    EXPECT_EQ(code_of(refused), "ceiling_reached");
    EXPECT_EQ(refused.error().retry_after_s(), 50 * 60);
    clock.advance_s(-1800);  // a clock set back gives nothing
    EXPECT_EQ(code_of(mint(seal, {*granted})), "ceiling_reached");
    clock.advance_s(1800 + 50 * 60);
    EXPECT_TRUE(mint(seal, {*granted}));
    const auto other = grant(seal, k_secret, k_send, 1);
    EXPECT_TRUE(mint(seal, {*other}));
    EXPECT_TRUE(mint(seal, {*other, *granted}));  // the next one does
    EXPECT_EQ(code_of(mint(seal, {*other})), "ceiling_reached");
}

TEST_F(GrantServiceTest, dies_with_its_epoch) {
    const auto granted = grant(seal, k_secret);
    const auto next = prepare_reseal(seal, k_secret, "zebra under lamplight");
    EXPECT_TRUE(mint(seal, {*granted}));  // until it is committed
    ASSERT_TRUE(commit(next->seal.epoch));
    EXPECT_NE(code_of(mint(next->seal, {*granted})), "good");
    EXPECT_NE(code_of(mint(seal, {*granted})), "good");
    auto moved = *granted;
    moved.epoch = next->seal.epoch;
    EXPECT_NE(code_of(mint(next->seal, {moved})), "good");
}

TEST_F(GrantServiceTest, of_another_integration_or_workspace_does_not_open) {
    const auto granted = grant(seal, k_secret);
    const auto own = integration;
    integration = test_id<IntegrationId>(9);
    const auto other = connect(k_secret);
    EXPECT_EQ(code_of(mint(other, {*granted})), "integration_sealed");
    integration = own;
    workspace = test_id<WorkspaceId>(8);
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{workspace}));
    EXPECT_EQ(code_of(mint(seal, {*granted})), "integration_sealed");
}

TEST_F(GrantServiceTest, revoking_ends_it_its_tickets_and_its_uses) {
    const auto granted = grant(seal, k_secret);
    const auto other = grant(seal, k_secret);
    const auto ticket = mint(seal, {*granted});
    (void)keeper->links->take_asked();
    ASSERT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, granted->grant}));
    const auto asked = keeper->links->take_asked();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].grant, granted->grant);
    EXPECT_FALSE(asked[0].all);
    EXPECT_EQ(code_of(keeper->redeem(ticket->ticket)), "ticket_refused");
    EXPECT_EQ(code_of(mint(seal, {*granted})), "integration_sealed");
    EXPECT_TRUE(mint(seal, {*granted, *other}));
    EXPECT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, granted->grant}));
}

TEST_F(GrantServiceTest, without_a_key_is_none_beside_one_that_does_not_open) {
    const auto gone = grant(seal, k_secret);
    auto changed = *grant(seal, k_secret);
    changed.credential.back() ^= 1;
    ASSERT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, gone->grant}));
    EXPECT_EQ(code_of(mint(seal, {*gone, changed})), "cannot_open");
    EXPECT_EQ(code_of(mint(seal, {changed, *gone})), "cannot_open");
}

TEST_F(GrantServiceTest, status_names_those_that_have_a_key) {
    using Grants = std::vector<GrantId>;
    EXPECT_TRUE(status().grants.empty());
    const auto first = grant(seal, k_secret)->grant;
    clock.advance_s(1);
    const auto second = grant(seal, k_secret)->grant;
    EXPECT_EQ(status().grants, (Grants{first, second}));
    ASSERT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, first}));
    EXPECT_EQ(status().grants, Grants{second});
    ASSERT_TRUE(keeper->ask(keys::SealAll{workspace, false}));
    EXPECT_EQ(status().grants, Grants{second});
    ASSERT_TRUE(keeper->ask(keys::SealAll{workspace, true}));
    EXPECT_TRUE(status().grants.empty());
}

TEST_F(GrantServiceTest, race_of_make_grant_and_seal_all_never_leaves_a_grant) {
    for (int steps = 0; steps < 40; ++steps) {
        auto making = keeper->start(wish());
        keeper->io.restart();
        for (int i = 0; i < steps && !making.done(); ++i)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        ASSERT_TRUE(keeper->ask(keys::SealAll{std::nullopt, true}));
        const auto made = making.answer();
        if (made) {
            EXPECT_FALSE(mint(seal, {*made})) << steps;
        }
        keeper.reset();
        {
            const auto store = keyring_store_of(folder);
            EXPECT_EQ((*store)->destroy_all_grants(std::nullopt)->size(), 0U) << steps;
        }
        start_keeper();
    }
}

TEST_F(GrantServiceTest, lock_ends_no_grant_that_is_being_made) {
    auto making = keeper->start(wish());
    ASSERT_TRUE(keeper->ask(keys::Lock{workspace, integration}));
    const auto made = making.answer();
    ASSERT_TRUE(made);
    EXPECT_TRUE(mint(seal, {*made}));
}

TEST_F(GrantServiceTest, ticket_that_waits_for_keys_does_not_outlive_what_ended_its_grant) {
    for (const bool all : {false, true}) {
        const auto granted = grant(seal, k_secret);
        ASSERT_TRUE(granted);
        std::atomic<bool> reading = false;
        std::counting_semaphore<> may_go_on(0);
        start_keeper([&](std::unique_ptr<KeyringStore> inner) -> std::unique_ptr<KeyringStore> {
            const auto step = [](std::string_view, bool) -> Result<> { return {}; };
            const auto on_keys_read = [&] {
                reading = true;
                may_go_on.acquire();
            };
            return std::make_unique<SteppedStore>(std::move(inner), step, on_keys_read);
        });
        auto minting = keeper->start(
            keys::MintTicket{workspace, integration, Verb::send, seal, {*granted}, false});
        keeper->io.restart();
        while (!reading)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        if (all) {
            EXPECT_TRUE(keeper->ask(keys::SealAll{std::nullopt, true}));
        } else {
            EXPECT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, granted->grant}));
        }
        may_go_on.release(8);
        EXPECT_FALSE(minting.answer()) << all;
        start_keeper();
    }
}

TEST_F(GrantServiceTest, can_be_made_with_the_open_lease) {
    auto asked = wish();
    asked.secret = {};
    asked.with_lease = true;
    EXPECT_EQ(code_of(keeper->ask(std::move(asked))), "integration_sealed");
    ASSERT_TRUE(unlock(seal, k_secret));
    asked = wish();
    asked.secret = {};
    asked.with_lease = true;
    const auto granted = keeper->ask(std::move(asked));
    ASSERT_TRUE(granted);
    ASSERT_TRUE(keeper->ask(keys::Lock{workspace, integration}));
    EXPECT_TRUE(mint(seal, {*granted}));
}

TEST_F(GrantServiceTest, unsound_wishes_are_refused) {
    const auto refused = [&](auto change) {
        auto asked = wish();
        change(asked);
        return code_of(keeper->ask(std::move(asked)));
    };
    EXPECT_EQ(refused([](auto& a) { a.verbs = 0; }), "internal_error");
    EXPECT_EQ(refused([](auto& a) { a.verbs = 16; }), "internal_error");
    EXPECT_EQ(refused([](auto& a) { a.grant = {}; }), "internal_error");
    EXPECT_EQ(refused([&](auto& a) { a.expires_at_ms = clock.now; }), "internal_error");
    EXPECT_EQ(refused([&](auto& a) { a.expires_at_ms = clock.now + k_grant_ms_max + 1; }),
              "internal_error");
    EXPECT_EQ(refused([](auto& a) { a.expires_at_ms = std::numeric_limits<UnixMs>::max(); }),
              "internal_error");
    EXPECT_EQ(refused([](auto& a) { a.expires_at_ms = std::numeric_limits<UnixMs>::min(); }),
              "internal_error");
    EXPECT_EQ(refused([](auto& a) { a.seal.epoch = 7; }), "seal_changed");
    EXPECT_EQ(refused([](auto& a) { a.secret.clear = secret_of("wrong one here"); }),
              "wrong_secret");
    EXPECT_EQ(refused([](auto&) {}), "good");
}

TEST_F(GrantServiceTest, made_again_under_its_id_takes_the_place_of_the_first) {
    const auto id = GrantId::make(clock.now);
    const auto make = [&] {
        auto asked = wish();
        asked.grant = id;
        return keeper->ask(std::move(asked));
    };
    const auto first = make();
    ASSERT_TRUE(first);
    const auto second = make();
    ASSERT_TRUE(second) << code_of(second);
    EXPECT_TRUE(mint(seal, {*second}, Verb::send));
    EXPECT_FALSE(mint(seal, {*first}, Verb::send)) << "its key is gone";
}

TEST_F(GrantServiceTest, ceiling_has_a_default_and_their_number_a_bound) {
    auto asked = wish();
    asked.hourly_ceiling = 0;
    EXPECT_EQ(keeper->ask(std::move(asked))->hourly_ceiling, k_hourly_ceiling_default);
    ASSERT_TRUE(unlock(seal, k_secret));
    for (int i = 1; i < 100; ++i) {
        auto next = wish();
        next.with_lease = true;
        ASSERT_TRUE(keeper->ask(std::move(next))) << i;
    }
    EXPECT_NE(code_of(keeper->ask(wish())), "good");
    keys::MintTicket many{workspace, integration, Verb::send, seal, {}, false};
    many.grants.resize(k_grants_per_call_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(many))), "too_large");
}

TEST_F(GrantServiceTest, ticket_of_a_lease_needs_the_present_seal_unchanged) {
    ASSERT_TRUE(unlock(seal, k_secret));
    auto changed = seal;
    changed.credential.back() ^= 1;
    EXPECT_EQ(code_of(mint(changed)), "cannot_open");
    changed = seal;
    changed.credential_key[5] ^= 1;
    EXPECT_EQ(code_of(mint(changed)), "cannot_open");
    changed = seal;
    changed.holders.clear();
    EXPECT_EQ(code_of(mint(changed)), "cannot_open");
    changed = seal;
    changed.epoch += 1;
    EXPECT_EQ(code_of(mint(changed)), "seal_changed");
    EXPECT_TRUE(mint(seal));
}

}  // namespace
}  // namespace postern::vault
