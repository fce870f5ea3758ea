#include "foundation/crypto/password.h"

#include "foundation/base/bytes.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/crypto_vectors_test.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace postern::crypto {
namespace {

constexpr Argon2Cost k_cheap{.passes = 1, .memory_kib = 64};

// From the reference implementation: `argon2 SALT -id -t PASSES -k MEMORY -p 1 -r`.
TEST(Stretch, matches_the_reference_implementation) {
    const auto usual = stretch(secret_of("password"), as_bytes("somesaltsomesalt"), {});
    ASSERT_TRUE(usual);
    EXPECT_EQ(bytes_of(*usual),
              from_hex("7664ad4ba1a3c999fcdd0991ffc2270f78302d2383233db5e7befc85d1bb1819"));
    const auto small = stretch(secret_of("a longer secret: kx8mz"), as_bytes("0123456789abcdef"),
                               {.passes = 1, .memory_kib = 1024});
    ASSERT_TRUE(small);
    EXPECT_EQ(bytes_of(*small),
              from_hex("3c8ae6c4c557d5daa0b33003a5dd8f2a4bff6e592e4d9dc53b2f0d0247804d37"));
}

TEST(Stretch, differs_in_secret_salt_and_cost) {
    const auto run = [](std::string_view secret, std::string_view salt, Argon2Cost cost) {
        return bytes_of(*stretch(secret_of(secret), as_bytes(salt), cost));
    };
    const auto base = run("secret", "0123456789abcdef", k_cheap);
    EXPECT_EQ(base, run("secret", "0123456789abcdef", k_cheap));
    EXPECT_NE(base, run("Secret", "0123456789abcdef", k_cheap));
    EXPECT_NE(base, run("secret", "0123456789abcdeg", k_cheap));
    EXPECT_NE(base, run("secret", "0123456789abcdef", {.passes = 2, .memory_kib = 64}));
    EXPECT_NE(base, run("secret", "0123456789abcdef", {.passes = 1, .memory_kib = 128}));
}

TEST(Stretch, answers_when_there_is_not_enough_memory) {
    const auto refused = stretch(secret_of("x"), as_bytes("0123456789abcdef"),
                                 {.passes = 1, .memory_kib = 4'294'967'295U});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(CryptoError::out_of_memory));
}

TEST(Password, verifies_its_own_hash_only) {
    const auto hash = hash_password(secret_of("correct password"), k_cheap);
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->find("$argon2id$v=19$m=64,t=1,p=1$"), 0U);
    EXPECT_TRUE(verify_password(*hash, secret_of("correct password")));
    EXPECT_FALSE(verify_password(*hash, secret_of("correct passwore")));
    EXPECT_FALSE(verify_password(*hash, secret_of("correct password ")));
    EXPECT_FALSE(verify_password(*hash, Secret()));
    EXPECT_NE(*hash, *hash_password(secret_of("correct password"), k_cheap));
}

TEST(Password, every_byte_counts_also_after_the_72nd_and_after_nul) {
    const std::string long_one(100, 'a');
    const auto hash = hash_password(secret_of(long_one + "b"), k_cheap);
    EXPECT_TRUE(verify_password(*hash, secret_of(long_one + "b")));
    EXPECT_FALSE(verify_password(*hash, secret_of(long_one + "c")));
    const std::string_view with_nul("nul\0one", 7);
    const auto nul = hash_password(secret_of(with_nul), k_cheap);
    EXPECT_TRUE(verify_password(*nul, secret_of(with_nul)));
    EXPECT_FALSE(verify_password(*nul, secret_of(std::string_view("nul\0two", 7))));
    EXPECT_FALSE(verify_password(*nul, secret_of("nul")));
}

TEST(Password, malformed_hash_verifies_nothing) {
    const auto hash = hash_password(secret_of("password"), k_cheap);
    for (const auto& bad :
         {std::string(), std::string("$argon2id$"), hash->substr(0, hash->size() - 1), "x" + *hash,
          std::string(5000, 'a'), std::string("$2b$12$abcdefghijklmnopqrstuv")}) {
        EXPECT_FALSE(verify_password(bad, secret_of("password"))) << bad;
    }
}

TEST(CostOfHash, is_read_from_what_hash_password_makes) {
    for (const Argon2Cost cost :
         {k_cheap, Argon2Cost{.passes = 3, .memory_kib = 128}, Argon2Cost{4, 8192}}) {
        const auto hash = hash_password(secret_of("x"), cost);
        const auto read = cost_of_hash(*hash);
        ASSERT_TRUE(read) << *hash;
        EXPECT_EQ(read->passes, cost.passes);
        EXPECT_EQ(read->memory_kib, cost.memory_kib);
    }
}

TEST(RaisedCost, is_nothing_where_the_hash_costs_enough) {
    const Argon2Cost today{.passes = 3, .memory_kib = 65536};
    EXPECT_FALSE(raised_cost(today, today));
    EXPECT_FALSE(raised_cost({.passes = 4, .memory_kib = 65536}, today));
    EXPECT_FALSE(raised_cost({.passes = 3, .memory_kib = 131072}, today));
}

TEST(RaisedCost, lowers_nothing_and_is_enough_afterwards) {
    const Argon2Cost today{.passes = 3, .memory_kib = 65536};
    for (const Argon2Cost weak : {Argon2Cost{2, 19456}, Argon2Cost{1, 47104}, Argon2Cost{10, 19456},
                                  Argon2Cost{1, 262144}, Argon2Cost{2, 65536}}) {
        const auto raised = raised_cost(weak, today);
        ASSERT_TRUE(raised) << weak.passes << ' ' << weak.memory_kib;
        EXPECT_EQ(raised->passes, std::max(weak.passes, today.passes));
        EXPECT_EQ(raised->memory_kib, std::max(weak.memory_kib, today.memory_kib));
        EXPECT_FALSE(raised_cost(*raised, today));
    }
}

TEST(Password, is_taken_as_typed_whatever_unicode_calls_equal) {
    const auto composed = std::string("caf\xC3\xA9 del mar 1987");
    const auto apart = std::string("cafe\xCC\x81 del mar 1987");
    const auto hash = hash_password(secret_of(composed), k_cheap);
    EXPECT_TRUE(verify_password(*hash, secret_of(composed)));
    EXPECT_FALSE(verify_password(*hash, secret_of(apart)));
}

TEST(CostOfHash, is_nothing_for_anything_else) {
    const auto good = *hash_password(secret_of("x"), k_cheap);
    const auto with = [&good](std::string_view old, std::string_view fresh) {
        std::string text = good;
        return text.replace(text.find(old), old.size(), fresh);
    };
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(cost_of_hash(std::string_view(good).substr(0, length))) << length;
    for (const std::string& text :
         {good + "A", " " + good, with("argon2id", "argon2i"), with("argon2id", "argon2d"),
          with("v=19", "v=16"), with("m=64", "m="), with("m=64", "m=-64"), with("m=64", "m=+64"),
          with("m=64", "m=4294967296"), with("t=1", "t=x"), with("p=1", "p=2"), with("$m", "$$m"),
          good.substr(0, good.size() - 1) + "!", std::string("$2b$12$abcdefghijklmnopqrstuv")}) {
        EXPECT_FALSE(cost_of_hash(text)) << text;
    }
}

}  // namespace
}  // namespace postern::crypto
