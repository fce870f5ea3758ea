#include "features/vault/crash_lab_test.h"
#include "features/vault/keeper_core.h"
#include "features/vault/keyring_store.h"
#include "features/vault/sealing.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Several people who can each open an integration, and what remains when one of them leaves.
namespace postern::vault {
namespace {

constexpr std::string_view k_maya = "maple-otter-violin";
constexpr std::string_view k_olga = "zebra under lamplight";
constexpr std::string_view k_ida = "nine copper kettles";
constexpr std::string_view k_wrong = "three wrong guesses";

class HoldersTest : public CrashLab {
protected:
    /// Maya's integration with Olga as another holder, as front stores it.
    keys::Seal of_two() {
        auto seal = connect(k_maya);
        auto added = add_holder(seal, k_maya, k_olga);
        EXPECT_TRUE(added.has_value());
        seal.holders.push_back(added->holder);
        return seal;
    }
    static HolderId maya(const keys::Seal& seal) { return seal.holders.at(0).holder; }
    static HolderId olga(const keys::Seal& seal) { return seal.holders.at(1).holder; }

    Result<keys::Lease> unlock_as(const keys::Seal& seal, std::string_view secret, HolderId who) {
        return keeper->ask(keys::Unlock{workspace, integration, seal, typed(secret), 3600, who});
    }
    keys::Seal commit_leaving(const keys::Seal& seal, HolderId leaving, std::string_view secret) {
        auto prepared = prepare_leaving(seal, leaving, secret);
        EXPECT_TRUE(prepared.has_value());
        EXPECT_TRUE(commit(prepared->seal.epoch).has_value());
        return prepared->seal;
    }
};

TEST_F(HoldersTest, each_opens_with_a_secret_of_their_own) {
    const auto seal = of_two();
    for (const auto secret : {k_maya, k_olga}) {
        ASSERT_TRUE(unlock(seal, secret));
        EXPECT_EQ(text_of(keeper->redeem(mint(seal)->ticket)->credential), k_password);
        ASSERT_TRUE(keeper->ask(keys::Lock{workspace, integration}));
        EXPECT_TRUE(grant(seal, secret));
    }
    EXPECT_EQ(code_of(unlock(seal, k_wrong)), "wrong_secret");
}

TEST_F(HoldersTest, holder_is_added_by_a_holder_alone) {
    const auto seal = connect(k_maya, 3600);
    EXPECT_EQ(code_of(add_holder(seal, k_wrong, k_olga)), "wrong_secret");
    EXPECT_EQ(code_of(add_holder(seal, k_maya, "short")), "weak_secret");
    EXPECT_EQ(code_of(add_holder(seal, k_maya, k_maya)), "weak_secret");
    ASSERT_TRUE(cut_off());
    EXPECT_EQ(code_of(add_holder(seal, k_maya, k_olga)), "integration_cut_off");
}

TEST_F(HoldersTest, secret_of_one_who_is_there_is_nobody_elses) {
    const auto seal = of_two();
    EXPECT_EQ(code_of(add_holder(seal, k_maya, k_olga)), "secret_in_use");
    EXPECT_EQ(code_of(prepare_reseal(seal, k_maya, k_olga)), "secret_in_use");
    EXPECT_EQ(code_of(prepare_reseal(seal, k_maya, k_maya)), "secret_in_use") << "one's own, too";
    EXPECT_EQ(status().pending_epoch, 0U);
    // What is refused is no guess at anybody's, and what is not is none either.
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(code_of(add_holder(seal, k_maya, k_olga)), "secret_in_use");
        EXPECT_TRUE(add_holder(seal, k_maya, std::string(k_ida) + std::to_string(i)));
    }
    EXPECT_TRUE(unlock_as(seal, k_olga, olga(seal)));
    EXPECT_TRUE(prepare_reseal(seal, k_maya, k_ida));
}

TEST_F(HoldersTest, secrets_of_others_cannot_be_guessed_by_adding_holders) {
    const auto seal = of_two();
    for (int i = 0; i < KeeperCore::k_compared_an_hour; ++i)
        EXPECT_TRUE(add_holder(seal, k_maya, std::string(k_ida) + std::to_string(i)));
    EXPECT_EQ(code_of(add_holder(seal, k_maya, k_olga)), "too_many_attempts");
    EXPECT_EQ(code_of(prepare_reseal(seal, k_maya, k_olga)), "too_many_attempts");
    EXPECT_TRUE(unlock_as(seal, k_olga, olga(seal)));
}

TEST_F(HoldersTest, holder_is_good_for_nothing_before_the_seal_has_them) {
    const auto seal = connect(k_maya);
    ASSERT_TRUE(add_holder(seal, k_maya, k_olga));
    EXPECT_EQ(code_of(unlock(seal, k_olga)), "wrong_secret");
    EXPECT_TRUE(unlock(seal, k_maya));
}

TEST_F(HoldersTest, asked_for_again_under_an_id_it_is_one_holder) {
    auto seal = connect(k_maya);
    const auto who = test_id<HolderId>(7);
    const auto add = [&](std::string_view secret) {
        return keeper->ask(keys::AddHolder{
            workspace, integration, seal, typed(k_maya), false, {}, typed(secret), who});
    };
    const auto first = add(k_olga);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->holder.holder, who);
    const auto second = add(k_olga);
    ASSERT_TRUE(second) << code_of(second);
    auto lost = seal;
    lost.holders.push_back(first->holder);
    EXPECT_FALSE(unlock_as(lost, k_olga, who)) << "its share is gone";
    seal.holders.push_back(second->holder);
    EXPECT_TRUE(unlock_as(seal, k_olga, who));
    // One who is there is not replaced.
    EXPECT_EQ(code_of(add(k_ida)), "internal_error");
    EXPECT_TRUE(unlock_as(seal, k_olga, who));
}

TEST_F(HoldersTest, holder_of_another_epoch_or_integration_opens_nothing) {
    const auto seal = of_two();
    const auto resealed = prepare_reseal(seal, k_maya, k_ida);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    auto mixed = resealed->seal;
    for (auto& holder : mixed.holders) {
        if (holder.holder == maya(seal)) holder = seal.holders[0];
    }
    EXPECT_FALSE(unlock(mixed, k_maya));
    // Olga, who was not there, opens the next epoch with the secret she has.
    EXPECT_TRUE(unlock(resealed->seal, k_olga));
}

TEST_F(HoldersTest, there_is_a_bound_on_holders) {
    auto seal = connect(k_maya);
    for (std::size_t i = 1; i < k_holders_max; ++i) {
        auto added = add_holder(seal, k_maya, "holder of number " + std::to_string(i));
        ASSERT_TRUE(added) << i;
        seal.holders.push_back(added->holder);
    }
    EXPECT_EQ(code_of(add_holder(seal, k_maya, k_olga)), "too_many_holders");
    EXPECT_TRUE(unlock(seal, "holder of number 7"));
}

TEST_F(HoldersTest, who_leaves_opens_nothing_and_the_others_need_not_be_there) {
    const auto seal = of_two();
    const auto next = commit_leaving(seal, maya(seal), k_maya);
    EXPECT_EQ(next.epoch, seal.epoch + 1);
    ASSERT_EQ(next.holders.size(), 1U);
    EXPECT_EQ(code_of(unlock(next, k_maya)), "wrong_secret");
    EXPECT_EQ(code_of(unlock(seal, k_maya)), "seal_changed");
    auto dressed = seal;
    dressed.epoch = next.epoch;
    EXPECT_FALSE(unlock(dressed, k_maya));
    ASSERT_TRUE(unlock(next, k_olga));
    EXPECT_EQ(text_of(keeper->redeem(mint(next)->ticket)->credential), k_password);
}

TEST_F(HoldersTest, open_lease_is_enough_for_somebody_to_leave) {
    const auto seal = of_two();
    EXPECT_EQ(code_of(prepare_leaving(seal, olga(seal), "")), "integration_sealed");
    ASSERT_TRUE(unlock(seal, k_maya));
    const auto granted = grant(seal, k_maya);
    const auto next = commit_leaving(seal, olga(seal), "");
    EXPECT_FALSE(status().lease.open);
    EXPECT_FALSE(mint(next, {*granted}));
    EXPECT_TRUE(unlock(next, k_maya));
    EXPECT_FALSE(unlock(next, k_olga));
}

TEST_F(HoldersTest, last_holder_and_strangers_do_not_leave) {
    const auto seal = connect(k_maya, 3600);
    EXPECT_EQ(code_of(prepare_leaving(seal, maya(seal), k_maya)), "last_holder");
    const auto two = of_two();
    EXPECT_EQ(code_of(prepare_leaving(two, test_id<HolderId>(9), k_maya)), "not_found");
    EXPECT_EQ(code_of(prepare_leaving(two, olga(two), k_wrong)), "wrong_secret");
    EXPECT_EQ(status().pending_epoch, 0U);
}

TEST_F(HoldersTest, no_file_holds_the_share_of_who_left) {
    const auto seal = of_two();
    keeper.reset();
    std::vector<Bytes> wraps;
    {
        const auto store = keyring_store_of(folder);
        const auto shares = (*store)->shares({workspace, integration}, seal.epoch);
        wraps = {shares->server, shares->holders.at(0).wrap, shares->holders.at(1).wrap};
    }
    start_keeper();
    commit_leaving(seal, olga(seal), k_maya);
    for (const auto& wrap : wraps)
        EXPECT_FALSE(folder.holds(wrap));
}

TEST_F(HoldersTest, guesses_at_one_holder_are_counted_at_them_alone) {
    const auto seal = of_two();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(code_of(unlock_as(seal, k_wrong, olga(seal))), "wrong_secret");
    EXPECT_EQ(code_of(unlock_as(seal, k_olga, olga(seal))), "too_many_attempts");
    // Maya's opening does not give the guesser more tries at Olga's.
    EXPECT_TRUE(unlock(seal, k_maya));
    EXPECT_TRUE(unlock_as(seal, k_maya, maya(seal)));
    EXPECT_EQ(code_of(unlock_as(seal, k_olga, olga(seal))), "too_many_attempts");
    // Without a name only those are tried who may be: Olga's right secret is not.
    EXPECT_EQ(code_of(unlock(seal, k_olga)), "wrong_secret");
    clock.advance_s(60);
    EXPECT_TRUE(unlock_as(seal, k_olga, olga(seal)));
}

TEST_F(HoldersTest, next_epoch_gives_no_more_guesses_at_who_keeps_their_secret) {
    auto seal = of_two();
    const auto added = add_holder(seal, k_maya, k_ida);
    ASSERT_TRUE(added);
    seal.holders.push_back(added->holder);
    const auto who = olga(seal);
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(code_of(unlock_as(seal, k_wrong, who)), "wrong_secret");
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(code_of(unlock_as(seal, k_wrong, maya(seal))), "wrong_secret");
    // Maya's own count goes with the secret that it was of.
    const auto resealed = prepare_reseal(seal, k_maya, "seven lanterns at noon");
    ASSERT_TRUE(resealed);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    EXPECT_EQ(code_of(unlock_as(resealed->seal, k_wrong, who)), "wrong_secret");
    EXPECT_EQ(code_of(unlock_as(resealed->seal, k_olga, who)), "too_many_attempts");
    const auto left = commit_leaving(resealed->seal, added->holder.holder, k_ida);
    EXPECT_EQ(code_of(unlock_as(left, k_olga, who)), "too_many_attempts");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(code_of(unlock_as(left, k_wrong, maya(seal))), "wrong_secret");
    clock.advance_s(60);
    EXPECT_TRUE(unlock_as(left, k_olga, who));
}

TEST_F(HoldersTest, opening_often_costs_the_others_nothing) {
    const auto seal = of_two();
    for (int i = 0; i < 12; ++i)
        ASSERT_TRUE(unlock(seal, k_maya)) << i;
    EXPECT_TRUE(unlock(seal, k_olga));
    EXPECT_TRUE(unlock_as(seal, k_olga, olga(seal)));
}

TEST_F(HoldersTest, guess_without_a_name_is_one_at_everybody) {
    const auto seal = of_two();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(code_of(unlock(seal, k_wrong)), "wrong_secret");
    for (const auto secret : {k_maya, k_olga, k_wrong})
        EXPECT_EQ(code_of(unlock(seal, secret)), "too_many_attempts");
    clock.advance_s(60);
    EXPECT_TRUE(unlock(seal, k_olga));
}

TEST_F(HoldersTest, name_of_a_stranger_is_a_wrong_secret_like_any_other) {
    const auto seal = of_two();
    EXPECT_EQ(code_of(unlock_as(seal, k_maya, test_id<HolderId>(9))), "wrong_secret");
    EXPECT_EQ(code_of(unlock_as(seal, k_maya, olga(seal))), "wrong_secret");
}

TEST_F(HoldersTest, names_that_are_made_up_are_counted_nowhere) {
    int charges = 0;
    start_keeper([&](std::unique_ptr<KeyringStore> inner) -> std::unique_ptr<KeyringStore> {
        const auto step = [&](std::string_view change, bool after) -> Result<> {
            if (after && change == "charge_attempts") ++charges;
            return {};
        };
        return std::make_unique<SteppedStore>(std::move(inner), step);
    });
    const auto seal = of_two();
    charges = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const auto nobody = HolderId::make(clock.now + i);
        EXPECT_EQ(code_of(unlock_as(seal, k_wrong, nobody)), "wrong_secret");
        auto dressed = seal;
        dressed.holders[0].holder = nobody;
        EXPECT_EQ(code_of(unlock_as(dressed, k_maya, nobody)), "wrong_secret");
        dressed.holders.pop_back();
        EXPECT_EQ(code_of(unlock(dressed, k_maya)), "wrong_secret");
    }
    EXPECT_EQ(charges, 0);
    EXPECT_TRUE(unlock(seal, k_olga));
    // The one before tells its steps to this test.
    start_keeper();
}

TEST_F(HoldersTest, adding_one_is_whole_or_not_at_all) {
    bool killed = true;
    int steps = 0;
    for (; killed; ++steps) {
        integration = IntegrationId::make(clock.now);
        const auto seal = connect(k_maya);
        killed = killed_at(steps, [&] { (void)add_holder(seal, k_maya, k_olga); });
        EXPECT_TRUE(unlock(seal, k_maya)) << steps;
        // Front, which has no answer, asks again.
        auto again = seal;
        auto added = add_holder(seal, k_maya, k_olga);
        ASSERT_TRUE(added) << steps;
        again.holders.push_back(added->holder);
        EXPECT_TRUE(unlock(again, k_olga)) << steps;
    }
    EXPECT_GE(steps, 6);
}

class SecretSharesTest : public HoldersTest {
protected:
    Result<keys::PrepareSeal::Answer> prepare_shares(std::uint8_t shares, std::uint8_t threshold) {
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.generate = true;
        asked.shares = {shares, threshold};
        asked.destination = to_bytes(k_destination);
        asked.credential = typed(k_password);
        return keeper->ask(std::move(asked));
    }
    static std::string joined(const std::vector<std::string>& texts,
                              std::initializer_list<std::size_t> which) {
        std::string text;
        for (const auto i : which)
            text += texts.at(i) + "\n";
        return text;
    }
};

TEST_F(SecretSharesTest, so_many_of_the_shares_open_and_fewer_do_not) {
    const auto prepared = prepare_shares(3, 2);
    ASSERT_TRUE(prepared);
    EXPECT_TRUE(prepared->generated.empty());
    ASSERT_EQ(prepared->generated_shares.size(), 3U);
    const auto& seal = prepared->seal;
    ASSERT_TRUE(commit(seal.epoch));
    std::vector<std::string> texts;
    for (const auto& share : prepared->generated_shares)
        texts.push_back(text_of(share));
    EXPECT_EQ(texts[0].find("postern-share-1:"), 0U);
    EXPECT_TRUE(unlock(seal, joined(texts, {0, 1})));
    EXPECT_TRUE(unlock(seal, joined(texts, {2, 0})));
    EXPECT_TRUE(unlock(seal, joined(texts, {1, 2})));
    EXPECT_TRUE(unlock(seal, joined(texts, {0, 1, 2})));
    auto upper = joined(texts, {0, 2});
    for (auto& c : upper)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '\n' ? ' ' : c;
    EXPECT_TRUE(unlock(seal, upper));
    EXPECT_TRUE(grant(seal, joined(texts, {1, 2})));
    auto typo = joined(texts, {0, 1});
    typo[30] = typo[30] == 'k' ? 'm' : 'k';
    for (const auto& wrong : {joined(texts, {0}), joined(texts, {0, 0}), typo}) {
        EXPECT_EQ(code_of(unlock(seal, wrong)), "wrong_secret") << wrong;
        clock.advance_s(3600);
    }
    for (const auto& text : texts)
        EXPECT_FALSE(folder.holds(as_bytes(text)));
}

TEST_F(SecretSharesTest, shares_of_another_secret_do_not_mix_in) {
    const auto first = prepare_shares(2, 2);
    ASSERT_TRUE(commit(first->seal.epoch));
    const auto second = prepare_shares(2, 2);
    EXPECT_EQ(code_of(unlock(first->seal, text_of(first->generated_shares[0]) +
                                              text_of(second->generated_shares[1]))),
              "wrong_secret");
}

TEST_F(SecretSharesTest, schemes_that_are_none_are_refused) {
    for (const auto& [shares, threshold] :
         {std::pair(1, 1), std::pair(2, 1), std::pair(2, 3), std::pair(9, 2), std::pair(0, 2)}) {
        EXPECT_EQ(code_of(prepare_shares(static_cast<std::uint8_t>(shares),
                                         static_cast<std::uint8_t>(threshold))),
                  "bad_scheme");
    }
}

TEST_F(SecretSharesTest, another_holder_can_be_several_people) {
    auto seal = connect(k_maya);
    const auto added =
        keeper->ask(keys::AddHolder{workspace, integration, seal, typed(k_maya), true, {4, 3}, {}});
    ASSERT_TRUE(added);
    ASSERT_EQ(added->generated_shares.size(), 4U);
    seal.holders.push_back(added->holder);
    const auto& shares = added->generated_shares;
    EXPECT_TRUE(unlock(seal, text_of(shares[3]) + text_of(shares[0]) + text_of(shares[2])));
    EXPECT_FALSE(unlock(seal, text_of(shares[3]) + text_of(shares[0])));
    EXPECT_TRUE(unlock(seal, k_maya));
}

}  // namespace
}  // namespace postern::vault
