#include "features/vault/sealing.h"

#include "features/vault/grants.h"
#include "features/vault/places.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/crypto/random.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_secret = "maple-otter-violin";

IntegrationKey key_of(std::uint8_t workspace, std::uint8_t integration) {
    return {test_id<WorkspaceId>(workspace), test_id<IntegrationId>(integration)};
}
const IntegrationKey k_key = key_of(1, 2);

MadeSeal sealed(const IntegrationKey& key = k_key,
                std::uint64_t epoch = 5,
                std::string_view secret = k_secret) {
    NewSeal wanted;
    wanted.key = key;
    wanted.epoch = epoch;
    wanted.holder = test_id<HolderId>(3);
    wanted.shared_secret = secret_of(secret);
    wanted.content = join_content(as_bytes(k_destination), secret_of(k_password));
    wanted.cost = k_cheap_cost;
    auto made = make_seal(std::move(wanted));
    POSTERN_CHECK(made.has_value());
    return std::move(*made);
}

std::string opens(const MadeSeal& made,
                  const keys::Seal& seal,
                  std::string_view secret = k_secret,
                  const IntegrationKey& key = k_key) {
    return code_of(open_seal(key, seal, made.shares, secret_of(secret)));
}

TEST(Content, keeps_destination_and_credential_apart) {
    for (const auto& [destination, credential] :
         {std::pair<std::string_view, std::string_view>{"host:1", "pw"},
          {"", "pw"},
          {"host", ""}}) {
        const auto content =
            split_content(join_content(as_bytes(destination), secret_of(credential)));
        ASSERT_TRUE(content);
        EXPECT_EQ(content->destination, to_bytes(destination));
        EXPECT_EQ(text_of(content->credential), credential);
    }
    EXPECT_FALSE(split_content(secret_of("")));
    EXPECT_FALSE(split_content(secret_of("\x05\x01\x01")));
    EXPECT_FALSE(split_content(Secret::copy_of(Bytes{5, 0, 0, 0, 1, 2})));
    EXPECT_FALSE(split_content(Secret::copy_of(Bytes{0xff, 0xff, 0xff, 0xff})));
}

TEST(Sealing, opens_with_the_secret_and_both_shares) {
    const auto made = sealed();
    const auto opened = open_seal(k_key, made.seal, made.shares, secret_of(k_secret));
    ASSERT_TRUE(opened);
    EXPECT_EQ(bytes_of(opened->integration_key), bytes_of(made.integration_key));
    EXPECT_EQ(opened->holder, test_id<HolderId>(3));
    const auto content = split_content(*open_content(k_key, made.seal, opened->integration_key));
    EXPECT_EQ(content->destination, to_bytes(k_destination));
    EXPECT_EQ(text_of(content->credential), k_password);
}

TEST(Sealing, one_error_for_everything_that_does_not_fit) {
    const auto made = sealed();
    EXPECT_EQ(opens(made, made.seal, "maple-otter-violim"), "wrong_secret");
    EXPECT_EQ(opens(made, made.seal, ""), "wrong_secret");
    EXPECT_EQ(opens(made, made.seal, k_secret, key_of(1, 9)), "wrong_secret");
    EXPECT_EQ(opens(made, made.seal, k_secret, key_of(9, 2)), "wrong_secret");
    EXPECT_EQ(opens(made, sealed(key_of(1, 9)).seal), "wrong_secret");
    EXPECT_EQ(opens(made, sealed(k_key, 6).seal), "wrong_secret");
    EXPECT_EQ(opens(made, sealed().seal), "wrong_secret");  // the same, sealed another time
}

struct Change {
    std::string_view name;
    std::function<void(keys::Seal&)> make;
};
TEST(Sealing, every_field_of_a_seal_is_bound) {
    const std::vector<Change> changes = {
        {"epoch", [](auto& seal) { ++seal.epoch; }},
        {"no holder", [](auto& seal) { seal.holders.clear(); }},
        {"holder", [](auto& seal) { seal.holders[0].holder = test_id<HolderId>(9); }},
        {"salt", [](auto& seal) { seal.holders[0].salt[0] ^= 1; }},
        {"short salt", [](auto& seal) { seal.holders[0].salt.pop_back(); }},
        {"no salt", [](auto& seal) { seal.holders[0].salt.clear(); }},
        {"passes", [](auto& seal) { ++seal.holders[0].passes; }},
        {"no passes", [](auto& seal) { seal.holders[0].passes = 0; }},
        {"too many passes", [](auto& seal) { seal.holders[0].passes = 4'000'000'000U; }},
        {"memory", [](auto& seal) { seal.holders[0].memory_kib *= 2; }},
        {"no memory", [](auto& seal) { seal.holders[0].memory_kib = 0; }},
        {"too much memory", [](auto& seal) { seal.holders[0].memory_kib = 4'000'000'000U; }},
        {"public key", [](auto& seal) { seal.holders[0].public_key[5] ^= 1; }},
        {"no public key", [](auto& seal) { seal.holders[0].public_key.clear(); }},
        {"private key", [](auto& seal) { seal.holders[0].sealed_private[40] ^= 1; }},
        {"commitment", [](auto& seal) { seal.holders[0].sealed_private[3] ^= 1; }},
        {"no private key", [](auto& seal) { seal.holders[0].sealed_private.clear(); }},
        {"box", [](auto& seal) { seal.holders[0].boxed_key[60] ^= 1; }},
        {"short box", [](auto& seal) { seal.holders[0].boxed_key.pop_back(); }},
        {"credential key", [](auto& seal) { seal.credential_key[30] ^= 1; }},
        {"no credential key", [](auto& seal) { seal.credential_key.clear(); }},
        {"credential", [](auto& seal) { seal.credential.back() ^= 1; }},
        {"no credential", [](auto& seal) { seal.credential.clear(); }},
        {"huge credential", [](auto& seal) { seal.credential.resize(1 << 20); }},
        {"many holders", [](auto& seal) { seal.holders.resize(1000, seal.holders[0]); }},
    };
    const auto made = sealed();
    for (const auto& change : changes) {
        auto seal = made.seal;
        change.make(seal);
        EXPECT_EQ(opens(made, seal), "wrong_secret") << change.name;
    }
    EXPECT_EQ(opens(made, made.seal), "good");
}

TEST(Sealing, credential_of_another_seal_of_the_same_integration_does_not_fit) {
    const auto one = sealed();
    const auto two = sealed();
    auto mixed = one.seal;
    mixed.credential = two.seal.credential;
    EXPECT_EQ(opens(one, mixed), "wrong_secret");
    mixed.credential_key = two.seal.credential_key;
    EXPECT_EQ(opens(one, mixed), "wrong_secret");
}

TEST(Sealing, needs_each_of_its_halves) {
    const auto made = sealed();
    OpenShares without_server{crypto::random_key(), {}};
    without_server.holders[test_id<HolderId>(3)] = {
        made.seal.holders[0].public_key,
        Secret::copy_of(bytes_of(made.shares.holders.begin()->second.share))};
    EXPECT_FALSE(open_seal(k_key, made.seal, without_server, secret_of(k_secret)));
    OpenShares without_holder{Secret::copy_of(bytes_of(made.shares.server)), {}};
    EXPECT_FALSE(open_seal(k_key, made.seal, without_holder, secret_of(k_secret)));
    without_holder.holders[test_id<HolderId>(3)] = {made.seal.holders[0].public_key,
                                                    crypto::random_key()};
    EXPECT_FALSE(open_seal(k_key, made.seal, without_holder, secret_of(k_secret)));
}

/// A second holder as a later version will add one: their own pair and share, the same key boxed.
MadeSeal with_second_holder() {
    auto first = sealed();
    NewSeal wanted;
    wanted.key = k_key;
    wanted.epoch = 6;
    wanted.holder = test_id<HolderId>(4);
    wanted.shared_secret = secret_of("zebra under lamplight");
    wanted.content = join_content(as_bytes(k_destination), secret_of(k_password));
    wanted.absent = first.seal.holders;
    wanted.absent_shares = std::move(first.shares);
    wanted.cost = k_cheap_cost;
    auto made = make_seal(std::move(wanted));
    POSTERN_CHECK(made.has_value());
    return std::move(*made);
}

TEST(Sealing, new_epoch_needs_no_absent_holder) {
    const auto made = with_second_holder();
    ASSERT_EQ(made.seal.holders.size(), 2U);
    const auto absent = open_seal(k_key, made.seal, made.shares, secret_of(k_secret));
    ASSERT_TRUE(absent);
    EXPECT_EQ(absent->holder, test_id<HolderId>(3));
    const auto present =
        open_seal(k_key, made.seal, made.shares, secret_of("zebra under lamplight"));
    ASSERT_TRUE(present);
    EXPECT_EQ(present->holder, test_id<HolderId>(4));
    EXPECT_EQ(bytes_of(present->integration_key), bytes_of(absent->integration_key));
    EXPECT_EQ(opens(made, made.seal, "zebra under lamplighT"), "wrong_secret");
}

TEST(Sealing, no_key_is_boxed_to_a_holder_that_keeper_does_not_know) {
    auto first = sealed();
    NewSeal wanted;
    wanted.key = k_key;
    wanted.epoch = 6;
    wanted.holder = test_id<HolderId>(4);
    wanted.shared_secret = secret_of(k_secret);
    wanted.content = join_content({}, secret_of(k_password));
    wanted.cost = k_cheap_cost;
    wanted.absent = first.seal.holders;
    wanted.absent[0].public_key = crypto::random_bytes(32);  // somebody else's
    wanted.absent_shares = std::move(first.shares);
    EXPECT_EQ(code_of(make_seal(std::move(wanted))), "wrong_secret");
}

TEST(Grant, every_field_is_bound) {
    const auto grant_key = filled_key(1);
    const auto share = filled_key(2);
    const auto content = join_content(as_bytes(k_destination), secret_of(k_password));
    keys::GrantSeal grant;
    grant.grant = test_id<GrantId>(8);
    grant.epoch = 5;
    grant.verbs = 1;
    grant.hourly_ceiling = 10;
    grant.expires_at_ms = 1'764'000'000'000;
    seal_grant(k_key, grant, grant_key, share, content);
    ASSERT_TRUE(open_grant(k_key, grant, grant_key, share));
    const std::vector<std::function<void(keys::GrantSeal&)>> changes = {
        [](auto& g) { g.grant = test_id<GrantId>(9); },
        [](auto& g) { g.epoch = 6; },
        [](auto& g) { g.verbs = 3; },
        [](auto& g) { g.hourly_ceiling = 11; },
        [](auto& g) { g.expires_at_ms += 1; },
        [](auto& g) { g.credential[30] ^= 1; },
        [](auto& g) { g.credential.clear(); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto changed = grant;
        changes[i](changed);
        EXPECT_EQ(code_of(open_grant(k_key, changed, grant_key, share)), "cannot_open") << i;
    }
    EXPECT_FALSE(open_grant(key_of(1, 3), grant, grant_key, share));
    EXPECT_FALSE(open_grant(key_of(2, 2), grant, grant_key, share));
    EXPECT_FALSE(open_grant(k_key, grant, filled_key(3), share));
    EXPECT_FALSE(open_grant(k_key, grant, grant_key, filled_key(3)));
}

TEST(Verbs, only_known_ones) {
    EXPECT_TRUE(is_verb(keys::Verb::send));
    EXPECT_FALSE(is_verb(static_cast<keys::Verb>(0)));
    EXPECT_FALSE(is_verb(static_cast<keys::Verb>(3)));
    EXPECT_FALSE(is_verb(static_cast<keys::Verb>(255)));
    EXPECT_TRUE(allows(3, keys::Verb::read_replies));
    EXPECT_FALSE(allows(3, keys::Verb::call));
    EXPECT_FALSE(allows(0, keys::Verb::send));
}

}  // namespace
}  // namespace postern::vault
