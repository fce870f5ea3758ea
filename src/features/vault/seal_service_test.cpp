#include "features/vault/seal_service.h"  // IWYU pragma: keep

#include "features/vault/keyring_store.h"
#include "features/vault/sealing.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/crypto/keypair.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"
#include "platform/store/store_error.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_old = "maple-otter-violin";
constexpr std::string_view k_new = "zebra under lamplight";

class SealServiceTest : public VaultTest {};

TEST_F(SealServiceTest, first_seal_is_pending_until_it_is_committed) {
    EXPECT_FALSE(status().known);
    const auto prepared = prepare(k_old);
    ASSERT_TRUE(prepared);
    EXPECT_EQ(prepared->seal.epoch, 1U);
    EXPECT_TRUE(prepared->generated.empty());
    EXPECT_EQ(status().epoch, 0U);
    EXPECT_EQ(status().pending_epoch, 1U);
    EXPECT_EQ(code_of(unlock(prepared->seal, k_old)), "not_found");
    const auto lease = commit(1);
    ASSERT_TRUE(lease);
    EXPECT_FALSE(lease->open);
    EXPECT_EQ(status().epoch, 1U);
    EXPECT_EQ(status().pending_epoch, 0U);
    EXPECT_TRUE(unlock(prepared->seal, k_old)->open);
}

TEST_F(SealServiceTest, commit_can_open_a_lease_without_the_secret) {
    const auto prepared = prepare(k_old);
    const auto lease = commit(1, 600);
    ASSERT_TRUE(lease);
    EXPECT_TRUE(lease->open);
    EXPECT_EQ(lease->until_ms, clock.now + 600'000);
    const auto ticket = mint(prepared->seal);
    ASSERT_TRUE(ticket);
    EXPECT_EQ(text_of(keeper->redeem(ticket->ticket)->credential), k_password);
    // Again, as after a crash of front: nothing changes, the lease stays.
    EXPECT_TRUE(commit(1, 600)->open);
}

TEST_F(SealServiceTest, generated_secret_opens_however_it_is_typed) {
    keys::PrepareSeal asked;
    asked.workspace = workspace;
    asked.integration = integration;
    asked.generate = true;
    asked.credential = typed(k_password);
    const auto prepared = keeper->ask(std::move(asked));
    ASSERT_TRUE(prepared);
    ASSERT_EQ(prepared->generated.size(), 29U);
    ASSERT_TRUE(commit(1));
    auto text = text_of(prepared->generated);
    EXPECT_TRUE(unlock(prepared->seal, text));
    std::erase(text, '-');
    EXPECT_TRUE(unlock(prepared->seal, text));
    text[3] = text[3] == '7' ? '8' : '7';
    EXPECT_EQ(code_of(unlock(prepared->seal, text)), "wrong_secret");
}

TEST_F(SealServiceTest, weak_secrets_are_refused_before_anything_is_stored) {
    for (const auto& weak : {std::string(), std::string("short"), std::string(30, 'a'),
                             std::string(2000, 'x') + "yzabcdef"}) {
        EXPECT_EQ(code_of(prepare(weak)), "weak_secret");
    }
    EXPECT_FALSE(status().known);
}

TEST_F(SealServiceTest, secrets_may_be_boxed_to_this_process) {
    const auto identity = keeper->ask(keys::Identify{});
    ASSERT_TRUE(identity);
    keys::PrepareSeal asked;
    asked.workspace = workspace;
    asked.integration = integration;
    asked.new_secret.boxed = crypto::box_seal(identity->seal_key, secret_of(k_old));
    asked.credential.boxed = crypto::box_seal(identity->seal_key, secret_of(k_password));
    const auto prepared = keeper->ask(std::move(asked));
    ASSERT_TRUE(prepared);
    ASSERT_TRUE(commit(1));
    start_keeper();  // another process, another seal key
    keys::Unlock again{workspace, integration, prepared->seal, {}, 60};
    again.secret.boxed = crypto::box_seal(identity->seal_key, secret_of(k_old));
    EXPECT_EQ(code_of(keeper->ask(std::move(again))), "seal_key_changed");
    EXPECT_TRUE(unlock(prepared->seal, k_old));
}

TEST_F(SealServiceTest, too_large_credentials_and_destinations_are_refused) {
    EXPECT_EQ(code_of(prepare(k_old, std::string(k_credential_bytes_max + 1, 'x'))), "too_large");
    EXPECT_TRUE(prepare(k_old, std::string(k_credential_bytes_max, 'x')));
    keys::PrepareSeal asked;
    asked.new_secret = typed(k_old);
    asked.destination.resize(k_destination_bytes_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(asked))), "too_large");
}

TEST_F(SealServiceTest, reseal_ends_the_old_secret_and_seal) {
    const auto before = connect(k_old, 3600);
    ASSERT_TRUE(status().lease.open);
    const auto after = prepare_reseal(before, k_old, k_new);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->seal.epoch, 2U);
    EXPECT_TRUE(unlock(before, k_old));  // until it is committed the old one stands
    EXPECT_EQ(code_of(unlock(after->seal, k_new)), "seal_changed");
    (void)keeper->links->take_asked();

    ASSERT_TRUE(commit(2));
    EXPECT_FALSE(status().lease.open);
    const auto asked = keeper->links->take_asked();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_TRUE(asked[0].all);
    EXPECT_EQ(code_of(unlock(before, k_old)), "seal_changed");
    EXPECT_EQ(code_of(unlock(after->seal, k_old)), "wrong_secret");
    ASSERT_TRUE(unlock(after->seal, k_new));
    const auto redeemed = keeper->redeem(mint(after->seal)->ticket);
    EXPECT_EQ(text_of(redeemed->credential), k_password);
    EXPECT_EQ(redeemed->destination, to_bytes(k_destination));
}

TEST_F(SealServiceTest, reseal_needs_the_present_secret_and_seal) {
    const auto first = connect(k_old);
    EXPECT_EQ(code_of(prepare_reseal(first, k_new, k_new)), "wrong_secret");
    EXPECT_EQ(code_of(prepare_reseal(first, k_old, "weak")), "weak_secret");
    auto other = first;
    other.epoch = 2;
    EXPECT_EQ(code_of(prepare_reseal(other, k_old, k_new)), "seal_changed");
    EXPECT_EQ(status().pending_epoch, 0U);
    ASSERT_TRUE(cut_off());
    EXPECT_EQ(code_of(prepare_reseal(first, k_old, k_new)), "integration_cut_off");
}

TEST_F(SealServiceTest, later_preparation_replaces_the_pending_one) {
    const auto first = prepare(k_old);
    const auto second = prepare(k_new);
    EXPECT_EQ(second->seal.epoch, 2U);  // an epoch is never given out twice
    EXPECT_EQ(code_of(commit(1)), "seal_changed");
    ASSERT_TRUE(commit(2));
    EXPECT_TRUE(unlock(second->seal, k_new));
    EXPECT_EQ(code_of(unlock(first->seal, k_old)), "seal_changed");
}

TEST_F(SealServiceTest, abandoned_seal_leaves_the_old_one) {
    const auto before = connect(k_old);
    const auto after = prepare_reseal(before, k_old, k_new);
    ASSERT_TRUE(keeper->ask(keys::AbandonSeal{workspace, integration, 2}));
    ASSERT_TRUE(keeper->ask(keys::AbandonSeal{workspace, integration, 2}));
    EXPECT_EQ(status().pending_epoch, 0U);
    EXPECT_EQ(code_of(commit(2)), "seal_changed");
    EXPECT_TRUE(unlock(before, k_old));
    EXPECT_EQ(prepare_reseal(before, k_old, k_new)->seal.epoch, 3U);
    // Abandoning what is not pending does nothing.
    ASSERT_TRUE(keeper->ask(keys::AbandonSeal{workspace, integration, 1}));
    ASSERT_TRUE(keeper->ask(keys::AbandonSeal{workspace, integration, 0}));
    EXPECT_TRUE(unlock(before, k_old));
}

TEST_F(SealServiceTest, pending_seal_can_be_tried_before_it_is_committed) {
    const auto prepared = prepare(k_old);
    keys::MintTicket asked{workspace, integration, keys::Verb::verify, prepared->seal, {}, true};
    const auto ticket = keeper->ask(asked);
    ASSERT_TRUE(ticket);
    EXPECT_EQ(text_of(keeper->redeem(ticket->ticket)->credential), k_password);
    ASSERT_TRUE(keeper->ask(keys::AbandonSeal{workspace, integration, 1}));
    EXPECT_EQ(code_of(keeper->ask(asked)), "integration_sealed");
    start_keeper();
    EXPECT_EQ(code_of(keeper->ask(asked)), "integration_sealed");
}

TEST_F(SealServiceTest, commit_of_unknown_epochs_is_refused) {
    EXPECT_EQ(code_of(commit(0)), "seal_changed");
    EXPECT_EQ(code_of(commit(1)), "seal_changed");
    EXPECT_EQ(code_of(commit(~std::uint64_t{0})), "seal_changed");
    connect(k_old);
    EXPECT_EQ(code_of(commit(0)), "seal_changed");
    EXPECT_EQ(code_of(commit(2)), "seal_changed");
}

TEST_F(SealServiceTest, cut_off_ends_everything_and_says_what) {
    const auto seal = connect(k_old, 3600);
    const auto granted = grant(seal, k_old);
    ASSERT_TRUE(grant(seal, k_old));
    const auto ticket = mint(seal);
    const auto by_grant = mint(seal, {*granted});
    (void)keeper->links->take_asked();
    const auto done = cut_off();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->epoch, 2U);
    EXPECT_EQ(done->grants, 2U);
    EXPECT_EQ(done->connections, 3U);
    EXPECT_EQ(done->courier, keys::CourierEnd::closed);
    EXPECT_GE(done->uses_ended_ms, 0);
    EXPECT_TRUE(keeper->links->take_asked().at(0).all);
    EXPECT_EQ(code_of(keeper->redeem(ticket->ticket)), "ticket_refused");
    EXPECT_EQ(code_of(keeper->redeem(by_grant->ticket)), "ticket_refused");
    EXPECT_EQ(code_of(unlock(seal, k_old)), "integration_cut_off");
    EXPECT_EQ(code_of(mint(seal)), "integration_cut_off");
    EXPECT_NE(code_of(mint(seal, {*granted})), "good");
    EXPECT_EQ(code_of(grant(seal, k_old)), "integration_cut_off");
    EXPECT_TRUE(status().cut_off);
    EXPECT_FALSE(status().lease.open);
}

TEST_F(SealServiceTest, cut_off_is_good_again_and_unknown_is_told) {
    EXPECT_EQ(code_of(cut_off()), "not_found");
    connect(k_old);
    EXPECT_EQ(cut_off()->epoch, 2U);
    const auto again = cut_off();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->epoch, 2U);
    EXPECT_EQ(again->grants, 0U);
    start_keeper();
    EXPECT_EQ(cut_off()->epoch, 2U);
}

TEST_F(SealServiceTest, cut_off_tells_what_became_of_the_connections) {
    connect(k_old);
    keeper->links->failure = Error(ipc::IpcError::closed);
    EXPECT_EQ(cut_off()->courier, keys::CourierEnd::gone);
    keeper->links->failure = Error(async::AsyncError::deadline_passed);
    EXPECT_EQ(cut_off()->courier, keys::CourierEnd::silent);
    keeper->links->failure = Error(ipc::IpcError::busy);
    EXPECT_EQ(cut_off()->courier, keys::CourierEnd::silent);
}

TEST_F(SealServiceTest, cut_off_takes_a_pending_seal_with_it) {
    const auto before = connect(k_old);
    const auto after = prepare_reseal(before, k_old, k_new);
    const auto done = cut_off();
    EXPECT_EQ(done->epoch, 3U);
    EXPECT_EQ(code_of(commit(2, 3600)), "seal_changed");
    EXPECT_TRUE(status().cut_off);
    EXPECT_FALSE(status().lease.open);
    EXPECT_EQ(code_of(unlock(after->seal, k_new)), "integration_cut_off");
}

TEST_F(SealServiceTest, reconnect_works_from_cut_off_and_from_live) {
    const auto first = connect(k_old);
    ASSERT_TRUE(cut_off());
    const auto second = prepare(k_new, "a new password");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->seal.epoch, 3U);
    EXPECT_TRUE(status().cut_off);  // until it is committed
    ASSERT_TRUE(commit(3, 60));
    EXPECT_FALSE(status().cut_off);
    EXPECT_EQ(text_of(keeper->redeem(mint(second->seal)->ticket)->credential), "a new password");
    EXPECT_EQ(code_of(unlock(first, k_old)), "seal_changed");
    const auto third = connect(k_old);
    EXPECT_TRUE(unlock(third, k_old));
}

TEST_F(SealServiceTest, cut_off_of_a_full_disk_takes_the_reserve) {
    bool full = false;
    bool released = false;
    start_keeper([&](std::unique_ptr<KeyringStore> inner) -> std::unique_ptr<KeyringStore> {
        const auto step = [&](std::string_view change, bool after) -> Result<> {
            if (change == "release_reserve") released = true;
            if (!after && full && !released && change != "release_reserve") {
                return fail(store::StoreError::disk_full);
            }
            return {};
        };
        return std::make_unique<SteppedStore>(std::move(inner), step);
    });
    const auto seal = connect(k_old, 3600);
    full = true;
    EXPECT_EQ(code_of(prepare(k_new)), "disk_full");
    EXPECT_TRUE(keeper->ask(keys::Lock{workspace, integration}));
    EXPECT_FALSE(released);
    EXPECT_TRUE(cut_off());
    EXPECT_TRUE(released);
    EXPECT_EQ(code_of(unlock(seal, k_old)), "integration_cut_off");
}

TEST_F(SealServiceTest, cut_off_that_cannot_be_stored_still_ends_uses_and_says_so) {
    bool broken = false;
    start_keeper([&](std::unique_ptr<KeyringStore> inner) -> std::unique_ptr<KeyringStore> {
        const auto step = [&](std::string_view, bool after) -> Result<> {
            if (!after && broken) return fail(store::StoreError::io_failed);
            return {};
        };
        return std::make_unique<SteppedStore>(std::move(inner), step);
    });
    const auto seal = connect(k_old, 3600);
    (void)keeper->links->take_asked();
    broken = true;
    EXPECT_EQ(code_of(cut_off()), "storage_failed");
    EXPECT_EQ(keeper->links->take_asked().size(), 1U);
    EXPECT_FALSE(status().lease.open);
    broken = false;
    EXPECT_TRUE(cut_off());
}

/// An unlock and a cut-off, the second begun after any number of steps of the first.
TEST_F(SealServiceTest, race_of_unlock_and_cut_off_never_leaves_a_lease) {
    for (int steps = 0; steps < 40; ++steps) {
        const auto seal = connect(k_old);
        auto unlocking =
            keeper->start(keys::Unlock{workspace, integration, seal, typed(k_old), 3600});
        keeper->io.restart();
        for (int i = 0; i < steps && !unlocking.done(); ++i)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        ASSERT_TRUE(cut_off());
        (void)unlocking.answer();
        EXPECT_FALSE(status().lease.open) << steps;
        EXPECT_NE(code_of(mint(seal)), "good") << steps;
    }
}

TEST_F(SealServiceTest, race_of_commit_with_lease_and_cut_off_never_leaves_a_lease) {
    for (int steps = 0; steps < 40; ++steps) {
        const auto prepared = prepare(k_old);
        auto committing =
            keeper->start(keys::CommitSeal{workspace, integration, prepared->seal.epoch, 3600});
        keeper->io.restart();
        for (int i = 0; i < steps && !committing.done(); ++i)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        ASSERT_TRUE(cut_off());
        (void)committing.answer();
        EXPECT_TRUE(status().cut_off) << steps;
        EXPECT_FALSE(status().lease.open) << steps;
    }
}

TEST_F(SealServiceTest, race_of_prepare_and_seal_all_never_leaves_a_lease) {
    for (int steps = 0; steps < 40; ++steps) {
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.new_secret = typed(k_old);
        asked.destination = to_bytes(k_destination);
        asked.credential = typed(k_password);
        auto preparing = keeper->start(std::move(asked));
        keeper->io.restart();
        for (int i = 0; i < steps && !preparing.done(); ++i)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        ASSERT_TRUE(keeper->ask(keys::SealAll{}));
        const auto prepared = preparing.answer();
        if (prepared) (void)commit(prepared->seal.epoch, 3600);
        EXPECT_FALSE(status().lease.open) << steps;
    }
}

TEST_F(SealServiceTest, race_of_prepare_and_cut_off_never_revives) {
    for (int steps = 0; steps < 40; ++steps) {
        const auto seal = connect(k_old);
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.new_secret = typed(k_new);
        asked.current = seal;
        asked.secret = typed(k_old);
        auto preparing = keeper->start(std::move(asked));
        keeper->io.restart();
        for (int i = 0; i < steps && !preparing.done(); ++i)
            keeper->io.run_one_for(std::chrono::milliseconds(5));
        ASSERT_TRUE(cut_off());
        const auto prepared = preparing.answer();
        if (prepared) {
            EXPECT_NE(code_of(commit(prepared->seal.epoch, 60)), "good") << steps;
        }
        EXPECT_TRUE(status().cut_off) << steps;
    }
}

}  // namespace
}  // namespace postern::vault
