#include "foundation/codec/webauthn/authenticator_data.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
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
constexpr std::size_t k_id_length_at = 53;
constexpr std::uint8_t k_extensions = 0x80;

std::string refused(ByteView bytes) {
    const auto data = parse_authenticator_data(bytes);
    return data ? "" : std::string(data.error().code());
}
Bytes assertion_data(std::uint8_t flags, const std::string& more = {}) {
    auto bytes = test::Vector("none.ES256").at("authenticator_data");
    bytes[k_flags_at] = flags;
    const auto tail = codec::parse_hex(more).value();
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    return bytes;
}
Bytes registration_data(const std::string& name) {
    return test::authenticator_data_of(test::Vector(name).at("attestation_object"));
}

TEST(AuthenticatorData, reads_the_flags_and_the_counter) {
    const std::pair<std::uint8_t, const char*> cases[] = {
        {0x00, ""},    {0x01, "UP "},          {0x04, "UV "}, {0x08, "BE "},
        {0x10, "BS "}, {0x1D, "UP UV BE BS "}, {0x22, ""},  // reserved bits
    };
    for (const auto& [flags, names] : cases) {
        const auto data = parse_authenticator_data(assertion_data(flags));
        ASSERT_TRUE(data);
        std::string seen = data->user_present ? "UP " : "";
        seen += data->user_verified ? "UV " : "";
        seen += data->backup_eligible ? "BE " : "";
        seen += data->backed_up ? "BS " : "";
        EXPECT_EQ(seen, names) << int{flags};
        EXPECT_FALSE(data->credential);
    }
    auto bytes = assertion_data(1);
    for (std::uint8_t i = 0; i < 4; ++i)
        bytes[k_flags_at + 1 + i] = static_cast<std::uint8_t>(0xF1U + i);
    EXPECT_EQ(parse_authenticator_data(bytes)->sign_count, 0xF1F2F3F4U);
    EXPECT_EQ(codec::hex(parse_authenticator_data(bytes)->rp_id_hash),
              "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5");
}

TEST(AuthenticatorData, reads_the_credential) {
    for (const char* name : {"none.ES256", "none.ES256.long-credential-id", "packed.EdDSA",
                             "packed.RS256", "own.ES256", "own.RS256"}) {
        const test::Vector vector(name);
        const auto data = parse_authenticator_data(registration_data(name));
        ASSERT_TRUE(data && data->credential) << name;
        EXPECT_EQ(to_bytes(data->credential->aaguid), vector.at("aaguid")) << name;
        EXPECT_EQ(data->credential->id, vector.at("id")) << name;
        EXPECT_EQ(data->credential->cose_key, vector.at("key")) << name;
    }
}

TEST(AuthenticatorData, reads_past_extensions) {
    EXPECT_EQ(refused(assertion_data(k_extensions, "a0")), "");
    EXPECT_EQ(refused(assertion_data(k_extensions, "a16375766d8183020402")), "");
    for (const char* more : {"", "80", "a1", "a1f5f5", "a000", "bfff", "f6", "a2616101616102"}) {
        EXPECT_EQ(refused(assertion_data(k_extensions, more)),
                  "webauthn_malformed_authenticator_data")
            << more;
    }
    // Without the flag they are bytes that nobody announced.
    EXPECT_EQ(refused(assertion_data(1, "a0")), "webauthn_malformed_authenticator_data");
}

TEST(AuthenticatorData, a_cut_or_lengthened_one_is_refused) {
    for (const char* name : {"none.ES256", "own.ES256", "own.EdDSA", "own.RS256"}) {
        auto whole = registration_data(name);
        ASSERT_EQ(refused(whole), "");
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_NE(refused(ByteView(whole).first(size)), "") << name << ' ' << size;
        whole.push_back(0xA0);
        EXPECT_EQ(refused(whole), "webauthn_malformed_authenticator_data") << name;
    }
    const auto assertion = assertion_data(1);
    for (std::size_t size = 0; size < assertion.size(); ++size) {
        EXPECT_EQ(refused(ByteView(assertion).first(size)),
                  "webauthn_malformed_authenticator_data");
    }
}

TEST(AuthenticatorData, holds_the_length_of_the_id_to_its_bound) {
    const auto with_length = [](const std::string& name, std::size_t length) {
        auto bytes = registration_data(name);
        bytes[k_id_length_at] = static_cast<std::uint8_t>(length >> 8U);
        bytes[k_id_length_at + 1] = static_cast<std::uint8_t>(length);
        return bytes;
    };
    const std::string longest = "none.ES256.long-credential-id";
    EXPECT_EQ(refused(with_length(longest, 1023)), "");
    EXPECT_EQ(refused(with_length(longest, 1024)), "webauthn_credential_id_too_long");
    EXPECT_EQ(refused(with_length("none.ES256", 0xFFFF)), "webauthn_credential_id_too_long");
    EXPECT_EQ(refused(with_length("none.ES256", 0)), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(refused(with_length("none.ES256", 1000)), "webauthn_malformed_authenticator_data");
    EXPECT_EQ(refused(with_length("none.ES256", 31)), "webauthn_malformed_key");
}

TEST(AuthenticatorData, is_bounded) {
    const auto of_size = [](std::size_t size) {
        auto bytes = assertion_data(k_extensions, "a16178");
        const auto padding = test::byte_string(Bytes(size - bytes.size() - 3));
        bytes.insert(bytes.end(), padding.begin(), padding.end());
        EXPECT_EQ(bytes.size(), size);
        return refused(bytes);
    };
    EXPECT_EQ(of_size(k_authenticator_data_bytes_max), "");
    EXPECT_EQ(of_size(k_authenticator_data_bytes_max + 1), "webauthn_malformed_authenticator_data");
}

TEST(AuthenticatorData, says_what_is_wrong_with_the_key) {
    const auto es384 =
        test::replaced(registration_data("none.ES256"), std::string("\xa5\x01\x02\x03\x26", 5),
                       std::string("\xa5\x01\x02\x03\x38\x22", 6));
    EXPECT_EQ(refused(es384), "webauthn_unsupported_algorithm");
}

}  // namespace
}  // namespace postern::webauthn
