#include "foundation/codec/webauthn/cose_key.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/webauthn/crypto_primitives_test.h"
#include "foundation/codec/webauthn/vectors_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <utility>

namespace postern::webauthn {
namespace {

const std::string k_32(64, '7');

/// The error's code, or "".
std::string refused(const std::string& hex) {
    const auto key = parse_cose_key(codec::parse_hex(hex).value());
    return key ? "" : std::string(key.error().code());
}
/// kty RSA, alg RS256; the numbers are hexadecimal.
std::string rsa(const std::string& n, const std::string& e) {
    const auto string = [](const std::string& hex) {
        return codec::hex(test::byte_string(codec::parse_hex(hex).value()));
    };
    return "a401030339010020" + string(n) + "21" + string(e);
}
std::string odd(std::size_t bytes, const std::string& first = "80") {
    return first + std::string((bytes - 2) * 2, '0') + "01";
}

TEST(CoseKey, reads_the_three_algorithms) {
    const auto es256 = parse_cose_key(test::Vector("none.ES256").at("key"));
    ASSERT_TRUE(es256);
    EXPECT_EQ(es256->algorithm, Algorithm::es256);
    EXPECT_EQ(codec::hex(std::get<P256Point>(es256->numbers).x),
              "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61");
    EXPECT_EQ(codec::hex(std::get<P256Point>(es256->numbers).y),
              "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220");
    const auto eddsa = parse_cose_key(test::Vector("packed.EdDSA").at("key"));
    ASSERT_TRUE(eddsa);
    EXPECT_EQ(eddsa->algorithm, Algorithm::eddsa);
    EXPECT_EQ(codec::hex(std::get<Ed25519Point>(eddsa->numbers).bytes),
              "44e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832");
    const auto rs256 = parse_cose_key(test::Vector("own.RS256").at("key"));
    ASSERT_TRUE(rs256);
    EXPECT_EQ(rs256->algorithm, Algorithm::rs256);
    EXPECT_EQ(std::get<RsaNumbers>(rs256->numbers).modulus.size(), 256U);
    EXPECT_EQ(std::get<RsaNumbers>(rs256->numbers).exponent, (Bytes{1, 0, 1}));
    EXPECT_TRUE(parse_cose_key(test::Vector("packed.RS256").at("key")));
}

TEST(CoseKey, names_why_it_refuses) {
    const std::string x = "215820" + k_32;
    const std::string y = "225820" + k_32;
    const std::pair<std::string, std::string> refusals[] = {
        {"", "webauthn_malformed_key"},
        {"80", "webauthn_malformed_key"},
        {"a0", "webauthn_malformed_key"},
        {"a10102", "webauthn_malformed_key"},              // no alg
        {"a10326", "webauthn_malformed_key"},              // no kty
        {"a20102036345533235", "webauthn_malformed_key"},  // cut off
        {"a20102036137", "webauthn_malformed_key"},        // alg as text
        {"a5010203262001" + x + y + "00", "webauthn_malformed_key"},
        {"a4010203262001" + x, "webauthn_malformed_key"},
        {"a5010203262001" + x + "22f5", "webauthn_malformed_key"},  // compressed
        {"a5010203262001" + x + "22581f" + k_32.substr(2), "webauthn_malformed_key"},
        {"a5010203262001" + x + "225821" + k_32 + "77", "webauthn_malformed_key"},
        {"a6010203262001" + x + y + "044101", "webauthn_malformed_key"},  // key_ops
        {"a501020326206131" + x + y, "webauthn_malformed_key"},           // crv as text
        {"a5010203262002" + x + y, "webauthn_unsupported_curve"},
        {"a5010203262008" + x + y, "webauthn_unsupported_curve"},
        {"a5010103262001" + x + y, "webauthn_wrong_key_type"},
        {"a5010303262001" + x + y, "webauthn_wrong_key_type"},
        {"a4010203272006" + x, "webauthn_wrong_key_type"},
        {"a4010103272007" + x, "webauthn_unsupported_curve"},  // Ed448
        {"a4010103272004" + x, "webauthn_unsupported_curve"},  // X25519
        {"a3010103272006", "webauthn_malformed_key"},
        {"a5010103272006" + x + y, "webauthn_malformed_key"},
        {"a501020338222002" + x + y, "webauthn_unsupported_algorithm"},  // ES384
        {"a5010203382e2008" + x + y, "webauthn_unsupported_algorithm"},  // ES256K
        {"a5010203002001" + x + y, "webauthn_unsupported_algorithm"},
        {"a5010203062001" + x + y, "webauthn_unsupported_algorithm"},  // -7 as 7 - 1
        {"a5010203282001" + x + y, "webauthn_unsupported_algorithm"},
    };
    for (const auto& [hex, code] : refusals)
        EXPECT_EQ(refused(hex), code) << hex;
    EXPECT_EQ(refused("a5010203262001" + x + y), "");
    EXPECT_EQ(refused("a4010103272006" + x), "");
}

TEST(CoseKey, takes_rsa_numbers_of_2048_to_4096_bits) {
    EXPECT_EQ(refused(rsa(odd(256), "010001")), "");
    EXPECT_EQ(refused(rsa(odd(256), "03")), "");
    EXPECT_EQ(refused(rsa(odd(256), "ffffffff")), "");
    EXPECT_EQ(refused(rsa(odd(512, "ff"), "010001")), "");
    const std::pair<std::string, std::string> weak[] = {
        {odd(256, "7f"), "010001"}, {odd(255, "ff"), "010001"},
        {odd(128), "010001"},       {odd(513, "01"), "010001"},
        {odd(4000), "010001"},      {"80" + std::string(510, '0'), "010001"},  // even
        {odd(256), "01"},           {odd(256), "02"},
        {odd(256), "010000"},       {odd(256), "0100000001"},
    };
    for (const auto& [n, e] : weak)
        EXPECT_EQ(refused(rsa(n, e)), "webauthn_weak_key") << n.size() << ' ' << e;
    for (const auto& [n, e] :
         {std::pair(std::string(), std::string("03")), std::pair(odd(256), std::string()),
          std::pair("00" + odd(256), std::string("03")),
          std::pair(odd(256), std::string("0003"))}) {
        EXPECT_EQ(refused(rsa(n, e)), "webauthn_malformed_key") << n.size() << ' ' << e;
    }
}

TEST(CoseKey, takes_rsa_numbers_under_their_own_labels_only) {
    const auto right = rsa(odd(256), "010001");
    const auto rest = right.substr(6);
    EXPECT_EQ(refused("a40103" + rest), "");
    EXPECT_EQ(refused("a40102" + rest), "webauthn_wrong_key_type");
    EXPECT_EQ(refused("a50103" + rest + "044101"), "webauthn_malformed_key");
    EXPECT_EQ(refused("a40103" + rest.substr(0, rest.size() - 10) + "2243010001"),
              "webauthn_malformed_key");
}

TEST(CoseKey, a_cut_one_is_refused_at_every_length) {
    for (const char* name : {"none.ES256", "own.EdDSA", "own.RS256"}) {
        const auto whole = test::Vector(name).at("key");
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_FALSE(parse_cose_key(ByteView(whole).first(size))) << name << ' ' << size;
    }
}

TEST(CoseKey, points_off_the_curve_and_of_small_order_are_not_usable) {
    const test::CryptoPrimitives primitives;
    for (const char* name : {"none.ES256", "own.EdDSA", "own.RS256"})
        EXPECT_TRUE(primitives.is_usable(*parse_cose_key(test::Vector(name).at("key")))) << name;
    auto off = *parse_cose_key(test::Vector("none.ES256").at("key"));
    std::get<P256Point>(off.numbers).y[31] ^= 1U;
    EXPECT_FALSE(primitives.is_usable(off));
    EXPECT_FALSE(primitives.is_usable(CoseKey{Algorithm::es256, P256Point{}}));
    EXPECT_FALSE(primitives.is_usable(CoseKey{Algorithm::eddsa, Ed25519Point{}}));
}

}  // namespace
}  // namespace postern::webauthn
