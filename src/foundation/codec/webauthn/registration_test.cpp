#include "foundation/codec/webauthn/registration.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/crypto_primitives_test.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/vectors_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace postern::webauthn {
namespace {

constexpr std::size_t k_flags_at = 32;
const Bytes k_empty_map{0xA0};

Result<Credential> check(const Expected& expected, const RegistrationResponse& response) {
    return check_registration(test::CryptoPrimitives(), expected, response);
}
std::string refused(const Expected& expected, const RegistrationResponse& response) {
    const auto credential = check(expected, response);
    return credential ? "" : std::string(credential.error().code());
}
/// The vector with another attestation object.
std::string refused(const test::Vector& vector, const Bytes& object) {
    return refused(vector.expected(), {vector.at("client_data"), object});
}
std::string refused_client_data(const test::Vector& vector, const Bytes& json) {
    return refused(vector.expected(), {json, vector.at("attestation_object")});
}
Bytes data_of(const test::Vector& vector) {
    return test::authenticator_data_of(vector.at("attestation_object"));
}

TEST(CheckRegistration, takes_the_vectors_of_the_specification) {
    struct Row {
        const char* name;
        Algorithm algorithm;
        const char* flags;  ///< as the vector's byte for UV, BE and BS says
    };
    const Row rows[] = {
        {"none.ES256", Algorithm::es256, "BE BS "},
        {"packed-self.ES256", Algorithm::es256, "UV BE BS "},
        {"none.ES256.long-credential-id", Algorithm::es256, "BE "},
        {"packed.ES256", Algorithm::es256, "UV BE "},
        {"packed.RS256", Algorithm::rs256, "UV BE BS "},
        {"packed.EdDSA", Algorithm::eddsa, ""},
    };
    for (const auto& row : rows) {
        const test::Vector vector(row.name);
        const auto credential = check(vector.expected(), vector.registration());
        ASSERT_TRUE(credential) << row.name << ' ' << credential.error().code();
        EXPECT_EQ(credential->algorithm, row.algorithm) << row.name;
        EXPECT_EQ(credential->id, vector.at("id")) << row.name;
        EXPECT_EQ(credential->public_key, vector.at("key")) << row.name;
        EXPECT_EQ(to_bytes(credential->aaguid), vector.at("aaguid")) << row.name;
        EXPECT_EQ(credential->sign_count, 0U) << row.name;
        std::string flags = credential->user_verified ? "UV " : "";
        flags += credential->backup_eligible ? "BE " : "";
        flags += credential->backed_up ? "BS " : "";
        EXPECT_EQ(flags, row.flags) << row.name;
    }
}

TEST(CheckRegistration, takes_keys_that_python_s_cryptography_made) {
    for (const char* name : {"own.ES256", "own.EdDSA", "own.RS256"}) {
        const test::Vector vector(name);
        auto expected = vector.expected();
        expected.user_verification_required = true;
        const auto credential = check(expected, vector.registration());
        ASSERT_TRUE(credential) << name << ' ' << credential.error().code();
        EXPECT_EQ(credential->sign_count, 7U) << name;
        EXPECT_TRUE(credential->user_verified) << name;
    }
}

TEST(CheckRegistration, refuses_frames_of_other_sites) {
    for (const char* name : {"none.ES256.crossOrigin", "none.ES256.topOrigin"}) {
        const test::Vector vector(name);
        EXPECT_EQ(refused(vector.expected(), vector.registration()), "webauthn_cross_origin");
    }
}

TEST(CheckRegistration, refuses_what_was_not_asked_for) {
    const test::Vector vector("none.ES256");
    const auto changed = [&](auto change) {
        auto expected = vector.expected();
        change(expected);
        return refused(expected, vector.registration());
    };
    EXPECT_EQ(changed([](Expected&) {}), "");
    EXPECT_EQ(changed([](Expected& e) { e.challenge.back() ^= 1U; }), "webauthn_wrong_challenge");
    EXPECT_EQ(changed([](Expected& e) { e.challenge.pop_back(); }), "webauthn_wrong_challenge");
    EXPECT_EQ(changed([](Expected& e) { e.challenge.clear(); }), "webauthn_wrong_challenge");
    EXPECT_EQ(changed([](Expected& e) { e.origins.pop_back(); }), "webauthn_wrong_origin");
    EXPECT_EQ(changed([](Expected& e) { e.origins.clear(); }), "webauthn_wrong_origin");
    for (const char* origin :
         {"http://example.org", "https://example.org:443", "https://example.org/",
          "https://Example.org", "https://example.or", "https://sub.example.org", ""}) {
        EXPECT_EQ(changed([&](Expected& e) { e.origins = {origin}; }), "webauthn_wrong_origin");
    }
    EXPECT_EQ(changed([](Expected& e) { e.rp_id = "example.com"; }),
              "webauthn_wrong_relying_party");
    EXPECT_EQ(changed([](Expected& e) { e.user_verification_required = true; }),
              "webauthn_user_not_verified");
}

TEST(CheckRegistration, refuses_other_client_data) {
    const test::Vector vector("none.ES256");
    const auto& json = vector.at("client_data");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "webauthn.create", "webauthn.get")),
              "webauthn_wrong_type");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "webauthn.create", "payment.get")),
              "webauthn_wrong_type");
    EXPECT_EQ(refused_client_data(vector, vector.at("get_client_data")), "webauthn_wrong_type");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "AMMP", "AMMQ")),
              "webauthn_wrong_challenge");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "example.org", "evil.example")),
              "webauthn_wrong_origin");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, ":false", ":true")),
              "webauthn_cross_origin");
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "{", "[")),
              "webauthn_malformed_client_data");
    // No signature covers them where the format is `none`.
    EXPECT_EQ(refused_client_data(vector, test::replaced(json, "future", "past")), "");
}

TEST(CheckRegistration, refuses_other_flags) {
    const test::Vector vector("none.ES256");
    const auto with_flags = [&](std::uint8_t flags) {
        auto data = data_of(vector);
        data[k_flags_at] = flags;
        return refused(vector, test::attestation_object("none", k_empty_map, data));
    };
    EXPECT_EQ(with_flags(0x41), "");
    EXPECT_EQ(with_flags(0x40), "webauthn_user_not_present");
    EXPECT_EQ(with_flags(0x51), "webauthn_wrong_backup_state");
    EXPECT_EQ(with_flags(0x01), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(with_flags(0xC1), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(refused(vector, test::attestation_object("none", k_empty_map,
                                                       vector.at("authenticator_data"))),
              "webauthn_no_credential");
}

TEST(CheckRegistration, refuses_points_off_the_curve) {
    const test::Vector vector("none.ES256");
    auto data = data_of(vector);
    data.back() ^= 1U;
    EXPECT_EQ(refused(vector, test::attestation_object("none", k_empty_map, data)),
              "webauthn_no_point");
}

TEST(CheckRegistration, self_attestations_must_hold) {
    const test::Vector vector("packed-self.ES256");
    const auto data = data_of(vector);
    const auto signature = test::byte_string(vector.at("sig"));
    const auto statement = [&](const std::string& algorithm, const Bytes& sig) {
        Bytes out = codec::parse_hex("a263616c67" + algorithm + "63736967").value();
        out.insert(out.end(), sig.begin(), sig.end());
        return test::attestation_object("packed", out, data);
    };
    ASSERT_EQ(statement("26", signature), vector.at("attestation_object"));
    EXPECT_EQ(refused(vector, statement("27", signature)), "webauthn_wrong_attestation");
    EXPECT_EQ(refused(vector, statement("390100", signature)), "webauthn_wrong_attestation");
    EXPECT_EQ(refused(vector, statement("f6", signature)), "webauthn_wrong_attestation");
    auto changed = signature;
    changed.back() ^= 1U;
    EXPECT_EQ(refused(vector, statement("26", changed)), "webauthn_wrong_attestation");
    EXPECT_EQ(refused(vector, statement("26", {0x40})), "webauthn_wrong_attestation");
    EXPECT_EQ(refused(vector, statement("26", {0xF6})), "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, test::attestation_object("packed", k_empty_map, data)),
              "webauthn_malformed_attestation");
    auto counted = data;
    counted[k_flags_at + 4] = 1;
    Bytes same = codec::parse_hex("a263616c672663736967").value();
    same.insert(same.end(), signature.begin(), signature.end());
    EXPECT_EQ(refused(vector, test::attestation_object("packed", same, counted)),
              "webauthn_wrong_attestation");
    EXPECT_EQ(
        refused_client_data(vector, test::replaced(vector.at("client_data"), "future", "past")),
        "webauthn_wrong_attestation");
}

TEST(CheckRegistration, other_statements_are_read_past) {
    const test::Vector vector("packed.ES256");
    auto changed = vector.at("attestation_object");
    const auto at = std::string(as_text(changed)).find("sig") + 20;
    changed[at] ^= 1U;
    EXPECT_EQ(refused(vector, changed), "");
    for (const char* format : {"tpm", "android-key", "fido-u2f", "apple", "compound", ""}) {
        EXPECT_EQ(refused(vector, test::attestation_object(format, k_empty_map, data_of(vector))),
                  "")
            << format;
    }
    const auto some = codec::parse_hex("a163736967f6").value();
    EXPECT_EQ(refused(vector, test::attestation_object("none", some, data_of(vector))),
              "webauthn_wrong_attestation");
    EXPECT_EQ(refused(vector, test::attestation_object("tpm", some, data_of(vector))), "");
}

TEST(CheckRegistration, a_cut_or_lengthened_response_is_refused) {
    for (const char* name : {"packed-self.ES256", "packed.EdDSA", "own.RS256"}) {
        const test::Vector vector(name);
        const auto whole = vector.registration();
        for (std::size_t size = 0; size < whole.attestation_object.size(); ++size) {
            EXPECT_EQ(refused(vector.expected(),
                              {whole.client_data_json, whole.attestation_object.first(size)}),
                      "webauthn_malformed_attestation")
                << name << ' ' << size;
        }
        for (std::size_t size = 0; size < whole.client_data_json.size(); ++size) {
            EXPECT_EQ(refused(vector.expected(),
                              {whole.client_data_json.first(size), whole.attestation_object}),
                      "webauthn_malformed_client_data")
                << name << ' ' << size;
        }
        auto longer = vector.at("attestation_object");
        longer.push_back(0xA0);
        EXPECT_EQ(refused(vector, longer), "webauthn_malformed_attestation");
    }
}

TEST(CheckRegistration, refuses_attestation_objects_of_another_form) {
    const test::Vector vector("none.ES256");
    const auto& object = vector.at("attestation_object");
    const std::pair<const char*, const char*> renamed[] = {
        {"fmt", "Fmt"}, {"attStmt", "attstmt"}, {"authData", "authdata"}};
    for (const auto& [from, to] : renamed)
        EXPECT_EQ(refused(vector, test::replaced(object, from, to)),
                  "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, test::replaced(object, "\xa0", "\x80")),
              "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, test::replaced(object, "\x64none", "\x44none")),
              "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, test::replaced(object, "\x58\xa4", "\x78\xa4")),
              "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, k_empty_map), "webauthn_malformed_attestation");
    EXPECT_EQ(refused(vector, Bytes(1000, 0x81)), "webauthn_malformed_attestation");
}

TEST(CheckRegistration, the_attestation_object_is_bounded) {
    const test::Vector vector("none.ES256");
    const auto of_size = [&](std::size_t size) {
        const auto data = data_of(vector);
        auto statement = codec::parse_hex("a16178").value();
        const auto rest = test::attestation_object("tpm", statement, data).size() + 3;
        const auto padding = test::byte_string(Bytes(size - rest));
        statement.insert(statement.end(), padding.begin(), padding.end());
        const auto object = test::attestation_object("tpm", statement, data);
        EXPECT_EQ(object.size(), size);
        return refused(vector, object);
    };
    EXPECT_EQ(of_size(k_attestation_object_bytes_max), "");
    EXPECT_EQ(of_size(k_attestation_object_bytes_max + 1), "webauthn_malformed_attestation");
}

}  // namespace
}  // namespace postern::webauthn
