#include "features/vault/keeper_service.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/places.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_cluster_test.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

/// What a thief or a restored backup can do after a re-seal or a cut-off, and what is left on disk.
namespace postern::vault {
namespace {

constexpr std::string_view k_old = "maple-otter-violin";
constexpr std::string_view k_new = "zebra under lamplight";

class DestructionTest : public VaultTest {
protected:
    void SetUp() override {
        if (store::tests_on_postgres()) GTEST_SKIP() << "of a keyring in a file";
        VaultTest::SetUp();
    }
    /// The keyring's files as they are now; keeper is stopped for it and started again.
    std::unique_ptr<TestFolder> backup() {
        keeper.reset();
        auto copy = std::make_unique<TestFolder>();
        std::filesystem::copy(folder.path(), copy->path(),
                              std::filesystem::copy_options::recursive);
        start_keeper();
        return copy;
    }
    void restore(const TestFolder& from) {
        keeper.reset();
        std::filesystem::remove_all(folder.path());
        std::filesystem::copy(from.path(), folder.path(), std::filesystem::copy_options::recursive);
        start_keeper();
    }

    /// The wraps of one epoch as they lie in the store.
    std::vector<Bytes> wraps_of(const keys::Seal& seal, const keys::GrantSeal& granted) {
        keeper.reset();
        std::vector<Bytes> wraps;
        {
            const auto store =
                open_keyring_store({.file = folder.file("keyring.db"), .reserve_file = {}});
            const IntegrationKey key{workspace, integration};
            const auto shares = (*store)->shares(key, seal.epoch);
            const auto use = (*store)->use_grant(key, granted, clock.now);
            EXPECT_TRUE(shares.has_value() && use.has_value());
            wraps = {shares->server, shares->holders.at(0).wrap, use->key_wrap};
        }
        start_keeper();
        return wraps;
    }
};

TEST_F(DestructionTest, yesterdays_seal_does_not_open_with_todays_keyring_and_both_secrets) {
    const auto yesterday = connect(k_old);
    const auto resealed = prepare_reseal(yesterday, k_old, k_new);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    // As its owner stored it, and dressed up as the present epoch.
    auto dressed = yesterday;
    dressed.epoch = resealed->seal.epoch;
    auto mixed = resealed->seal;
    mixed.credential = yesterday.credential;
    mixed.credential_key = yesterday.credential_key;
    auto swapped = resealed->seal;
    swapped.holders = yesterday.holders;
    for (const auto& seal : {yesterday, dressed, mixed, swapped}) {
        for (const auto secret : {k_old, k_new}) {
            EXPECT_FALSE(unlock(seal, secret));
            clock.advance_s(3600);
        }
    }
    EXPECT_TRUE(unlock(resealed->seal, k_new));
}

TEST_F(DestructionTest, yesterdays_seal_does_not_open_after_a_cut_off) {
    const auto yesterday = connect(k_old, 3600);
    const auto granted = grant(yesterday, k_old);
    ASSERT_TRUE(cut_off());
    for (auto epoch : {yesterday.epoch, std::uint64_t{2}}) {
        auto seal = yesterday;
        seal.epoch = epoch;
        EXPECT_EQ(code_of(unlock(seal, k_old)), "integration_cut_off");
        EXPECT_FALSE(mint(seal, {*granted}));
    }
    // Not even where an attacker brings the epoch's number back by connecting anew.
    const auto fresh = connect(k_new);
    auto dressed = yesterday;
    dressed.epoch = fresh.epoch;
    EXPECT_FALSE(unlock(dressed, k_old));
    auto moved = *granted;
    moved.epoch = fresh.epoch;
    EXPECT_FALSE(mint(fresh, {moved}));
}

TEST_F(DestructionTest, yesterdays_whole_keyring_with_the_old_secret_does_open) {
    const auto yesterday = connect(k_old);
    const auto copy = backup();
    const auto resealed = prepare_reseal(yesterday, k_old, k_new);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    ASSERT_TRUE(cut_off());
    restore(*copy);
    ASSERT_TRUE(unlock(yesterday, k_old));
    EXPECT_EQ(text_of(keeper->redeem(mint(yesterday)->ticket)->credential), k_password);
    EXPECT_FALSE(unlock(resealed->seal, k_new));
}

TEST_F(DestructionTest, keyring_of_yesterday_needs_its_root_key) {
    connect(k_old);
    keeper.reset();
    const auto other = open_keyring(
        {.file = folder.file("keyring.db"), .reserve_file = std::nullopt}, filled_key(1));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), "wrong_root_key");
    EXPECT_NE(other.error().detail().find(fingerprint(filled_key(root_fill))), std::string::npos);
}

TEST_F(DestructionTest, no_file_holds_the_old_wraps_after_a_cut_off) {
    const auto seal = connect(k_old);
    const auto granted = grant(seal, k_old);
    const auto wraps = wraps_of(seal, *granted);
    for (const auto& wrap : wraps)
        EXPECT_TRUE(folder.holds(wrap));
    ASSERT_TRUE(cut_off());
    for (const auto& wrap : wraps)
        EXPECT_FALSE(folder.holds(wrap));  // keeper runs: the log counts
    keeper.reset();
    for (const auto& wrap : wraps)
        EXPECT_FALSE(folder.holds(wrap));
}

TEST_F(DestructionTest, no_file_holds_the_old_wraps_after_a_reseal) {
    const auto seal = connect(k_old);
    const auto granted = grant(seal, k_old);
    const auto wraps = wraps_of(seal, *granted);
    const auto resealed = prepare_reseal(seal, k_old, k_new);
    for (const auto& wrap : wraps)
        EXPECT_TRUE(folder.holds(wrap));
    ASSERT_TRUE(commit(resealed->seal.epoch));
    for (const auto& wrap : wraps)
        EXPECT_FALSE(folder.holds(wrap));
}

TEST_F(DestructionTest, no_file_holds_the_key_of_a_revoked_grant_or_an_erased_person) {
    const auto seal = connect(k_old);
    const auto granted = grant(seal, k_old);
    const auto wraps = wraps_of(seal, *granted);
    ASSERT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, granted->grant}));
    EXPECT_TRUE(folder.holds(wraps[0]));
    EXPECT_FALSE(folder.holds(wraps[2]));

    const auto creator = test_id<CreatorId>(3);
    ASSERT_TRUE(keeper->ask(keys::CreateSubjects{workspace, {creator}}));
    keeper.reset();
    Bytes wrap;
    {
        const auto store =
            open_keyring_store({.file = folder.file("keyring.db"), .reserve_file = {}});
        wrap = (*store)->subject_keys(workspace, {creator})->at(0).wrap;
    }
    start_keeper();
    EXPECT_TRUE(folder.holds(wrap));
    keeper->run(keeper->service->destroy_subjects(workspace, {creator}));
    EXPECT_FALSE(folder.holds(wrap));
}

TEST_F(DestructionTest, nothing_secret_is_ever_in_a_file) {
    const auto seal = connect(k_old, 3600);
    ASSERT_TRUE(grant(seal, k_old));
    ASSERT_TRUE(mint(seal));
    const auto resealed = prepare_reseal(seal, k_old, k_new);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    for (const auto secret : {k_old, k_new, k_password, k_destination})
        EXPECT_FALSE(folder.holds(as_bytes(secret)));
    EXPECT_FALSE(folder.holds(Bytes(32, root_fill)));
}

}  // namespace
}  // namespace postern::vault
