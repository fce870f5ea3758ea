#include "foundation/crypto/secret_sharing.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_vectors_test.h"
#include "foundation/crypto/random.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

namespace postern::crypto {
namespace {

SecretShare share_of(std::uint8_t number, ByteView bytes) {
    return {number, Secret::copy_of(bytes)};
}
SecretShare share_of(std::uint8_t number, std::string_view hex) {
    return share_of(number, from_hex(hex));
}

std::vector<SecretShare> chosen(const std::vector<SecretShare>& all, unsigned mask) {
    std::vector<SecretShare> some;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if ((mask >> i & 1U) != 0) some.push_back(share_of(all[i].number, bytes_of(all[i].bytes)));
    }
    return some;
}

// Made by Botan 2.19.3 (`botan tss_split M N FILE --hash=None`), headers taken off.
constexpr std::string_view k_botan_secret = "000180ff7365637265742d6279746573";
constexpr std::string_view k_botan_2_of_3[] = {"c9bd7d7ded44fd59ce6b39db72369b61",
                                               "896261e054274424284a050b6ff08257",
                                               "40de9c62ca06da0f835511b264b27c45"};
constexpr std::string_view k_botan_key =
    "709bd093eaa325e20a58f6cadc36528637a3bbb206e28bb41499014f5d63c109";
constexpr std::string_view k_botan_3_of_5[] = {
    "700f6b0365ac008383406b7b0e3943cf37f4b15cbc81c73496f7f68d4f9487ee",
    "6bb48ce02aa3dc7699bfed8a676d56b3acfb1a74790dbc6da693391b99f601b3",
    "6b203770a5acf91710a7703bb56247faacac109ac36ef0ed24fdced98b014754",
    "2ab5ac4e48db369269fc28aea18fc24640e60021b8836f38e9f868e663c971c1",
    "2a2117dec7d413f3e0e4b51f7380d30f40b10acf02e023b86b969f24713e3726"};

TEST(SecretSharing, joins_the_shares_of_another_implementation) {
    std::vector<SecretShare> all;
    for (std::uint8_t i = 0; i < 3; ++i)
        all.push_back(share_of(static_cast<std::uint8_t>(i + 1), k_botan_2_of_3[i]));
    for (const unsigned mask : {3U, 5U, 6U, 7U})
        EXPECT_EQ(bytes_of(*join_secret(chosen(all, mask))), from_hex(k_botan_secret)) << mask;
    all.clear();
    for (std::uint8_t i = 0; i < 5; ++i)
        all.push_back(share_of(static_cast<std::uint8_t>(i + 1), k_botan_3_of_5[i]));
    for (const unsigned mask : {7U, 11U, 21U, 28U, 26U, 31U})
        EXPECT_EQ(bytes_of(*join_secret(chosen(all, mask))), from_hex(k_botan_key)) << mask;
    for (const unsigned mask : {1U, 3U, 24U})
        EXPECT_NE(bytes_of(*join_secret(chosen(all, mask))), from_hex(k_botan_key)) << mask;
}

TEST(SecretSharing, every_subset_of_the_threshold_restores_and_no_smaller_one_does) {
    const auto secret = random_key();
    for (std::uint8_t shares = 1; shares <= 6; ++shares) {
        for (std::uint8_t threshold = 1; threshold <= shares; ++threshold) {
            const SharingScheme scheme{shares, threshold};
            if (!is_sound(scheme)) continue;
            const auto all = split_secret(secret, scheme);
            ASSERT_EQ(all.size(), shares);
            for (unsigned mask = 1; mask < 1U << shares; ++mask) {
                const auto some = chosen(all, mask);
                const auto joined = join_secret(some);
                ASSERT_TRUE(joined);
                EXPECT_EQ(bytes_of(*joined) == bytes_of(secret), some.size() >= threshold)
                    << int{shares} << ' ' << int{threshold} << ' ' << mask;
            }
        }
    }
}

TEST(SecretSharing, one_share_less_than_the_threshold_fits_every_secret_alike) {
    // With two of three shares of a 3-of-3 fixed, each value of the third gives another secret:
    // all 256 secrets are left, none of them likelier.
    const auto all = split_secret(Secret::copy_of(Bytes{42}), {3, 3});
    std::set<Bytes> possible;
    for (unsigned value = 0; value < 256; ++value) {
        auto guess = chosen(all, 3U);
        guess.push_back(share_of(3, Bytes{static_cast<std::uint8_t>(value)}));
        possible.insert(bytes_of(*join_secret(guess)));
    }
    EXPECT_EQ(possible.size(), 256U);
}

TEST(SecretSharing, each_splitting_is_another) {
    const auto secret = test_key(1);
    const auto first = split_secret(secret, {2, 2});
    const auto second = split_secret(secret, {2, 2});
    EXPECT_NE(bytes_of(first[0].bytes), bytes_of(second[0].bytes));
    EXPECT_NE(bytes_of(first[0].bytes), bytes_of(secret));
    auto mixed = chosen(first, 1U);
    mixed.push_back(share_of(2, bytes_of(second[1].bytes)));
    EXPECT_NE(bytes_of(*join_secret(mixed)), bytes_of(secret));
}

TEST(SecretSharing, refuses_shares_that_cannot_be_of_one_secret) {
    const auto a = Bytes(32, 1);
    EXPECT_FALSE(join_secret({}));
    for (const auto& [first, second, size] :
         {std::tuple(0, 1, 32), std::tuple(1, 1, 32), std::tuple(1, 0, 32), std::tuple(1, 2, 31)}) {
        std::vector<SecretShare> shares;
        shares.push_back(share_of(static_cast<std::uint8_t>(first), a));
        shares.push_back(
            share_of(static_cast<std::uint8_t>(second), Bytes(static_cast<std::size_t>(size), 2)));
        EXPECT_FALSE(join_secret(shares)) << first << second << size;
    }
}

TEST(SecretSharing, knows_a_sound_scheme) {
    EXPECT_TRUE(is_sound({1, 1}));
    EXPECT_TRUE(is_sound({3, 2}));
    EXPECT_TRUE(is_sound({255, 255}));
    for (const auto& scheme : {SharingScheme{0, 0}, SharingScheme{1, 0}, SharingScheme{0, 1},
                               SharingScheme{2, 3}, SharingScheme{3, 1}}) {
        EXPECT_FALSE(is_sound(scheme));
    }
}

}  // namespace
}  // namespace postern::crypto
