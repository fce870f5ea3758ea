#include "foundation/codec/webauthn/assertion.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/crypto_primitives_test.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/vectors_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace postern::webauthn {
namespace {

constexpr std::size_t k_flags_at = 32;

/// A vector's assertion and what it is checked against, each field to be changed.
struct Case {
    explicit Case(const std::string& name) : vector(name) {
        const auto data =
            parse_authenticator_data(test::authenticator_data_of(vector.at("attestation_object")));
        expected = vector.expected("get_challenge");
        stored = {.public_key = vector.at("key"),
                  .sign_count = data->sign_count,
                  .backup_eligible = data->backup_eligible};
        client_data = vector.at("get_client_data");
        authenticator_data = vector.at("authenticator_data");
        signature = vector.at("signature");
    }

    [[nodiscard]] Result<Assertion> check() const {
        return check_assertion(test::CryptoPrimitives(), expected, stored,
                               {client_data, authenticator_data, signature});
    }
    [[nodiscard]] std::string refused() const {
        const auto assertion = check();
        return assertion ? "" : std::string(assertion.error().code());
    }

    test::Vector vector;
    Expected expected;
    StoredCredential stored;
    Bytes client_data;
    Bytes authenticator_data;
    Bytes signature;
};

template <typename Change>
std::string refused(const std::string& name, Change change) {
    Case one(name);
    change(one);
    return one.refused();
}

constexpr const char* k_all[] = {
    "none.ES256",   "packed-self.ES256", "none.ES256.long-credential-id",
    "packed.ES256", "packed.RS256",      "packed.EdDSA",
    "own.ES256",    "own.EdDSA",         "own.RS256"};

TEST(CheckAssertion, takes_the_vectors) {
    for (const char* name : k_all) {
        const Case one(name);
        const auto assertion = one.check();
        ASSERT_TRUE(assertion) << name << ' ' << assertion.error().code();
        const bool is_own = std::string(name).starts_with("own.");
        EXPECT_EQ(assertion->sign_count, is_own ? 8U : 0U) << name;
        EXPECT_EQ(assertion->user_verified, (one.authenticator_data[k_flags_at] & 4U) != 0) << name;
        EXPECT_EQ(assertion->backed_up, (one.authenticator_data[k_flags_at] & 16U) != 0) << name;
    }
    EXPECT_TRUE(Case("none.ES256").check()->backed_up);
    EXPECT_FALSE(Case("none.ES256").check()->user_verified);
    EXPECT_TRUE(Case("own.RS256").check()->user_verified);
}

TEST(CheckAssertion, refuses_frames_of_other_sites) {
    EXPECT_EQ(Case("none.ES256.crossOrigin").refused(), "webauthn_cross_origin");
    EXPECT_EQ(Case("none.ES256.topOrigin").refused(), "webauthn_cross_origin");
}

TEST(CheckAssertion, refuses_what_was_not_asked_for) {
    for (const char* name : k_all) {
        const auto changed = [&](auto change) {
            return refused(name, [&](Case& c) { change(c.expected); });
        };
        EXPECT_EQ(changed([](Expected& e) { e.challenge[0] ^= 1U; }), "webauthn_wrong_challenge");
        EXPECT_EQ(changed([](Expected& e) { e.challenge.push_back(0); }),
                  "webauthn_wrong_challenge");
        EXPECT_EQ(changed([](Expected& e) { e.challenge.clear(); }), "webauthn_wrong_challenge");
        EXPECT_EQ(changed([](Expected& e) { e.origins = {"https://example.com"}; }),
                  "webauthn_wrong_origin");
        EXPECT_EQ(changed([](Expected& e) { e.rp_id = "www.example.org"; }),
                  "webauthn_wrong_relying_party");
    }
    const auto verified = [](Case& c) { c.expected.user_verification_required = true; };
    EXPECT_EQ(refused("none.ES256", verified), "webauthn_user_not_verified");
    EXPECT_EQ(refused("own.ES256", verified), "");
}

TEST(CheckAssertion, no_challenge_is_not_a_challenge) {
    const auto without = [](Case& c) {
        c.expected.challenge.clear();
        c.client_data =
            to_bytes(R"({"type":"webauthn.get","challenge":"","origin":"https://example.org"})");
    };
    EXPECT_EQ(refused("own.EdDSA", without), "webauthn_wrong_challenge");
}

TEST(CheckAssertion, refuses_other_client_data) {
    const auto changed = [](const std::string& from, const std::string& to) {
        return refused("own.EdDSA",
                       [&](Case& c) { c.client_data = test::replaced(c.client_data, from, to); });
    };
    EXPECT_EQ(changed("webauthn.get", "webauthn.create"), "webauthn_wrong_type");
    EXPECT_EQ(changed("webauthn.get", "webauthn.geT"), "webauthn_wrong_type");
    EXPECT_EQ(changed("challenge\":\"q", "challenge\":\"r"), "webauthn_wrong_challenge");
    EXPECT_EQ(changed("example.org", "example.org.evil.example"), "webauthn_wrong_origin");
    EXPECT_EQ(changed("false", "true"), "webauthn_cross_origin");
    EXPECT_EQ(changed("}", ",\"extra\":1}"), "webauthn_wrong_signature");
    EXPECT_EQ(changed("}", " }"), "webauthn_wrong_signature");
    EXPECT_EQ(changed("\"type\"", "\"challenge\""), "webauthn_malformed_client_data");
    // The answer to another challenge of ours, replayed.
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.client_data = Case("own.ES256").client_data; }),
              "webauthn_wrong_challenge");
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.client_data = c.vector.at("client_data"); }),
              "webauthn_wrong_type");
}

TEST(CheckAssertion, refuses_other_authenticator_data) {
    const auto flags = [](std::uint8_t value) {
        return refused("own.EdDSA", [&](Case& c) { c.authenticator_data[k_flags_at] = value; });
    };
    EXPECT_EQ(flags(0x1D), "");
    EXPECT_EQ(flags(0x1C), "webauthn_user_not_present");
    EXPECT_EQ(flags(0x15), "webauthn_wrong_backup_state");
    EXPECT_EQ(flags(0x05), "webauthn_backup_eligibility_changed");
    EXPECT_EQ(flags(0x19), "webauthn_wrong_signature");
    EXPECT_EQ(flags(0x3D), "webauthn_wrong_signature");
    EXPECT_EQ(flags(0x5D), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(flags(0x9D), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.authenticator_data[0] ^= 1U; }),
              "webauthn_wrong_relying_party");
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.authenticator_data.back() += 1; }),
              "webauthn_wrong_signature");
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.stored.backup_eligible = false; }),
              "webauthn_backup_eligibility_changed");
    const auto registration = [](Case& c) {
        c.authenticator_data = test::authenticator_data_of(c.vector.at("attestation_object"));
    };
    EXPECT_EQ(refused("own.EdDSA", registration), "webauthn_unasked_credential");
}

TEST(CheckAssertion, the_counter_must_grow_where_there_is_one) {
    const auto stored = [](const std::string& name, std::uint32_t count) {
        return refused(name, [&](Case& c) { c.stored.sign_count = count; });
    };
    for (const char* name : {"own.ES256", "own.EdDSA", "own.RS256"}) {
        EXPECT_EQ(stored(name, 0), "");
        EXPECT_EQ(stored(name, 7), "");
        EXPECT_EQ(stored(name, 8), "webauthn_counter_not_grown");
        EXPECT_EQ(stored(name, 9), "webauthn_counter_not_grown");
        EXPECT_EQ(stored(name, std::numeric_limits<std::uint32_t>::max()),
                  "webauthn_counter_not_grown");
    }
    EXPECT_EQ(stored("none.ES256", 0), "");
    EXPECT_EQ(stored("none.ES256", 1), "webauthn_counter_not_grown");
    // What has a wrong signature says nothing about the counter.
    EXPECT_EQ(refused("own.ES256",
                      [](Case& c) {
                          c.stored.sign_count = 9;
                          c.signature.back() ^= 1U;
                      }),
              "webauthn_wrong_signature");
}

TEST(CheckAssertion, refuses_signatures_of_others_and_cut_ones) {
    for (const char* name : k_all) {
        const Case whole(name);
        for (std::size_t size = 0; size < whole.signature.size(); ++size) {
            EXPECT_EQ(refused(name, [&](Case& c) { c.signature.resize(size); }),
                      "webauthn_wrong_signature")
                << name << ' ' << size;
        }
        for (const std::size_t at : {std::size_t{5}, whole.signature.size() - 1}) {
            EXPECT_EQ(refused(name, [&](Case& c) { c.signature[at] ^= 1U; }),
                      "webauthn_wrong_signature");
        }
        EXPECT_EQ(refused(name, [](Case& c) { c.signature.push_back(0); }),
                  "webauthn_wrong_signature");
        EXPECT_EQ(refused(name, [](Case& c) { c.signature.resize(k_signature_bytes_max + 1); }),
                  "webauthn_wrong_signature");
        const auto other_key = [&](Case& c) {
            c.stored.public_key =
                Case(std::string(name) == "own.ES256" ? "none.ES256" : "own.ES256")
                    .stored.public_key;
        };
        EXPECT_EQ(refused(name, other_key), "webauthn_wrong_signature") << name;
    }
}

TEST(CheckAssertion, refuses_cut_client_and_authenticator_data) {
    for (const char* name : {"own.ES256", "own.EdDSA"}) {
        const Case whole(name);
        for (std::size_t size = 0; size < whole.authenticator_data.size(); ++size) {
            EXPECT_EQ(refused(name, [&](Case& c) { c.authenticator_data.resize(size); }),
                      "webauthn_malformed_authenticator_data");
        }
        for (std::size_t size = 0; size < whole.client_data.size(); ++size) {
            EXPECT_EQ(refused(name, [&](Case& c) { c.client_data.resize(size); }),
                      "webauthn_malformed_client_data");
        }
        EXPECT_EQ(refused(name, [](Case& c) { c.authenticator_data.push_back(0); }),
                  "webauthn_malformed_authenticator_data");
    }
}

TEST(CheckAssertion, refuses_stored_keys_that_are_none) {
    EXPECT_EQ(refused("own.ES256", [](Case& c) { c.stored.public_key.clear(); }),
              "webauthn_malformed_key");
    EXPECT_EQ(refused("own.ES256", [](Case& c) { c.stored.public_key.back() ^= 1U; }),
              "webauthn_no_point");
    EXPECT_EQ(refused("own.EdDSA", [](Case& c) { c.stored.public_key.push_back(0); }),
              "webauthn_malformed_key");
}

}  // namespace
}  // namespace postern::webauthn
