#include "foundation/crypto/public_key_signature.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/crypto_vectors_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace postern::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<PublicKey>);

using enum SignatureAlgorithm;

// Made by Python's `cryptography`, all over the same words.
constexpr std::string_view k_words = "the message";
constexpr const char* k_x = "c4807c69e220185d43a9d397514280db6a2ee7d35ed85c75567fd6b20224a0ee";
constexpr const char* k_y = "47b085b5a164d6788acbb159224406cc4a61d90817d0d7cc90cae429af953d14";
constexpr const char* k_es256_der =
    "30450221008f3bfe844f88a190e913e5d101c928149e8ff5c517150a502bd84edf57bac2e102207bbb1c0e7e"
    "5b4ce3660ff392d50933153324c81a3de9398607d6456da0a0f533";
constexpr const char* k_es256 =
    "8f3bfe844f88a190e913e5d101c928149e8ff5c517150a502bd84edf57bac2e17bbb1c0e7e5b4ce3660ff392"
    "d50933153324c81a3de9398607d6456da0a0f533";
constexpr const char* k_modulus =
    "de9704ca17da2cf5ba858e09d12ef34c01b1694ec9e396538cf37085b4d3275f329bdcb13a082da2d92d1222"
    "e376fa4007662de61d3d23dae2a14c4b69076a852c468f9ac375eb0152cd5bacbdbbd3344397ef5f02b041c6"
    "64a5c7fd7f6468c6aac24e565cf6b9cec3f126e1176129ac00217a247d80b99fe3902e8c1321f46ca7f00ee3"
    "71561100cc368f6ebfdf968c81bcbf8af51d5c4edd789402e41be678f15c78442598ff8a718af6f07f891ae5"
    "6f1d4fb464e49beaf3fddf3e71273259689f26ec00148d1713657a175a9db069a113e405c847108d9b0d7609"
    "2b297d9d1326056b4ca31de290361c305968bebc9bece03c97a8d7e1b1b1cea1c4ad4431";
constexpr const char* k_rs256 =
    "1e86ec6a1e2c3eb977642cbf5d9733e3da334b22d4eb307d85d30c44d121d14d743e395ea59f0245040866cb"
    "af5d5de3de2580f873a34a689032521962d5bf22c69eab8a6c5f3c831ea86ed8a3f4731fe614cb32b83882e8"
    "e2e76828c3064faf4d060ad0be3b9e5e2a08fe5582b4bcdf89bd00a8f0f048abc235c3a303688519fec761b1"
    "182b4fe68101cd36a445fa5af88db5a1cc452090be7153b55d29f6699bbfb0088930713d17795c0b8a4ea303"
    "39c0934a87de2e56c59fef072d3476031bb30ebed71bbd506654aa20978b451dd250592de926c85baa815a8f"
    "57254f8b093693234f21985554506cf1651d3faa53a2145a45dd80646e80ca5fecffe090";
constexpr const char* k_rs512 =
    "741be3b56a09c0581e9f14371aed7973dea9123be2d65b0536c3315981ba501d47593cb21ece9ab1dcb2ffa4"
    "7dae11901beb589f4484acd0303557b5a40fda969570681ac33ab08bb192c765592ecd10a4d1f46c64d42d7e"
    "4a36d84078ac8d013392f81089139c9329e07d7e51f7c08d6f374405cdfb403f1772e60d49643bb84ef89a1d"
    "6e16a2a90384e522f757bbb6d0de2aa4334dacb5277fff359de920a82da0e46d4136f3038eb21c5a3f17e247"
    "2a8342e7888159f1149eb646d4029fe879db8d01ecf27fc26091141f957456148a6619241067334dd918089e"
    "08d1a647996d7895f2e50a09e60ed4b71b07622a6b6781cecc192e9d66b84850406236bb";
constexpr const char* k_ps256 =
    "0f248e92c8aa6e0281b0e9267f84e9260a493079f5cc91bb65a70642b46e40e88cecd4c532309a1b0967ba62"
    "570e6b54ae7a45fadd0dad1d95d02423c8c6c7f244a71576e15097f5305a889c1e781196cc9d93ca0cb86fd0"
    "89094a1228a08a7ec99f25fe0196ac792e394ba30e4f48f5b69ca67ff158c0212dd72189653c1ae37447061a"
    "d30c862f9ed9bf4f4c7dfdd135fe228397f36d7116b7dffbfe36e500efb5b52c570d5622b164edbd67d80b1a"
    "dfb8073c98ab2e670b3f311d1f5eb22c91f76746db5a153248906f879229248708d3a397b429f6acb2c19234"
    "c6e9c6ae70c31147e065e1588ddfe0ea98f85cc371bc657f21310989999e64c8b3f71587";
constexpr const char* k_ps256_salt_of_20 =
    "d0c3772e31e76024bda404f8922fed901cd5233aab88924d520c01d8a32234554477b198fa6dd24c7fd42689"
    "5b1d774243e829cddc971c5164746ffd852d90a5648d70a76e3effc4fbe4078a9864f69b3c0781b925c5e966"
    "9d3083c8d04f69800173d8491895ee70827df45258ee1b81f41a9842ef4b2468dc2c376f0eb5795a1189b758"
    "503bb76af220e403da28fdd8f695e7654900eb5c79b5560f0a219b585f5c8d075e0e61338a5c0f0d745d02b6"
    "83ec7d42c00751c4eb4c6805adc25e22f6a51249b3514a68178f8c33632d4e66e4a36b1f10a6492cf206f3bc"
    "5fa622fe964924f17e4f876fcd5638cc46f07bd0a51b0c62b809741e81bf74b96693ead7";
constexpr const char* k_ps256_no_salt =
    "a29f37df26bef746f475d57ca2710977e21a1df94782fead7090503a60750497052aa6e976093174e761938d"
    "14b1b803a0f96ad22a8c3196fa5d7a90add2c954120cdb7997e100ae54fab85465b819381f712cc16c3449da"
    "13b6630044e535780f8848e82167f363f192fa1dc1040370f64510ca41562b030a3598d33e971ad50fd75671"
    "ea50c2f8e190684a320888a6edc116761638f439536f0f70a86a3015c4960be7081b06ff151b3fa6f477ac9c"
    "30a6f81bb6e4046f68f8ccb8be82a34eca2fd0583a29a1b7beb1d2330a6b2fcd6b9eed6df2e96d55b9e2f260"
    "ddf8f06346b8fd8682a8833723679e2d366ba2343002f17a4566c8f13ae63f6b4300f528";
constexpr const char* k_ps256_mgf1_with_sha1 =
    "7783f8236b96f6525e413d26bb56ffbbd24e582b4fc0dfe8d14e64b3b689cd5ba05dadd2e5df294550a9bd31"
    "48a764f0349b3802963073708df7a59e5e170ac4570eafaf09cae9d677a796511039ddcb3827543656a643f8"
    "03b1720ee643ebd23a15c6bb1281774b862224a278bfa7750162e62bc6862919aeb2da39c8c34aa05972cafa"
    "a12564d83474cc70d3eb1ea47a735ed6f61cd5600a39682a524328e863b64a3754a2c7690c8dfd6893c3be4d"
    "9601b73d156dcca38fb95dc2092128316f82d1c95f5e34c14cd1c9af75acf6d5bdf2b6ff619f0cab4396ae72"
    "5dbab9e37763d80ba8de83cccb4a8fb637511d07f2df8c99ec273773c130cbea129c9903";
// RFC 7515 appendix A.3.
constexpr std::string_view k_jws_es256 =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* k_jws_x = "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445";
constexpr const char* k_jws_y = "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad";
constexpr const char* k_jws_es256_signature =
    "0ed1215379636c483c2f7f155807d402a3b228033af97c7e17819ac3169ea665c50a07d38c3c70e5d8f12daf"
    "084a5480a66590c5f293509a8f3f7f8a83a354d5";
// RFC 8037 appendix A.4.
constexpr std::string_view k_jws_eddsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr const char* k_jws_point =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr const char* k_jws_eddsa_signature =
    "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e9d59b8628dc351e248b88b29"
    "468e0e41855b0fb7d83bb15be902bfccb8cd0a02";

PublicKey p256_key() {
    return PublicKey::p256(from_hex(k_x), from_hex(k_y)).value();
}
PublicKey rsa_key() {
    return PublicKey::rsa(from_hex(k_modulus), from_hex("010001")).value();
}
PublicKey ed25519_key() {
    return PublicKey::ed25519(from_hex(k_jws_point)).value();
}
bool verified(SignatureAlgorithm algorithm, const PublicKey& key, ByteView signature) {
    return verify(algorithm, key, as_bytes(k_words), signature);
}
std::string refused(const Result<PublicKey>& key) {
    return key ? "" : std::string(key.error().code());
}

TEST(PublicKeySignature, other_implementations_agree) {
    EXPECT_TRUE(verified(es256_der, p256_key(), from_hex(k_es256_der)));
    EXPECT_TRUE(verified(es256, p256_key(), from_hex(k_es256)));
    EXPECT_TRUE(verified(rs256, rsa_key(), from_hex(k_rs256)));
    EXPECT_TRUE(verified(ps256, rsa_key(), from_hex(k_ps256)));
    const auto jws_key = PublicKey::p256(from_hex(k_jws_x), from_hex(k_jws_y)).value();
    EXPECT_TRUE(verify(es256, jws_key, as_bytes(k_jws_es256), from_hex(k_jws_es256_signature)));
    EXPECT_TRUE(
        verify(ed25519, ed25519_key(), as_bytes(k_jws_eddsa), from_hex(k_jws_eddsa_signature)));
}

/// Each algorithm with its key, its message and the right signature.
template <typename Each>
void for_each_algorithm(Each each) {
    each(es256_der, p256_key(), as_bytes(k_words), from_hex(k_es256_der));
    each(es256, p256_key(), as_bytes(k_words), from_hex(k_es256));
    each(rs256, rsa_key(), as_bytes(k_words), from_hex(k_rs256));
    each(ps256, rsa_key(), as_bytes(k_words), from_hex(k_ps256));
    each(ed25519, ed25519_key(), as_bytes(k_jws_eddsa), from_hex(k_jws_eddsa_signature));
}

TEST(PublicKeySignature, changed_cut_and_lengthened_ones_are_refused) {
    for_each_algorithm([](auto algorithm, const auto& key, ByteView message, const Bytes& right) {
        const int shown = static_cast<int>(algorithm);
        ASSERT_TRUE(verify(algorithm, key, message, right)) << shown;
        for (std::size_t at = 0; at < right.size(); ++at) {
            auto changed = right;
            changed[at] ^= 1U;
            EXPECT_FALSE(verify(algorithm, key, message, changed)) << shown << ' ' << at;
            EXPECT_FALSE(verify(algorithm, key, message, ByteView(right).first(at))) << shown;
        }
        auto longer = right;
        longer.push_back(0);
        EXPECT_FALSE(verify(algorithm, key, message, longer)) << shown;
        EXPECT_FALSE(verify(algorithm, key, message.first(message.size() - 1), right)) << shown;
        EXPECT_FALSE(verify(algorithm, key, {}, right)) << shown;
        EXPECT_FALSE(verify(algorithm, key, message, Bytes(right.size(), 0))) << shown;
        EXPECT_FALSE(verify(algorithm, key, message, Bytes(right.size(), 0xFF))) << shown;
    });
}

TEST(PublicKeySignature, no_algorithm_takes_the_key_or_the_signature_of_another) {
    for_each_algorithm([](auto algorithm, const auto& key, ByteView message, const Bytes& right) {
        for (const auto other : {es256, es256_der, rs256, ps256, ed25519})
            EXPECT_EQ(verify(other, key, message, right), other == algorithm);
    });
}

TEST(PublicKeySignature, other_hashes_salts_and_forms_are_refused) {
    EXPECT_FALSE(verified(rs256, rsa_key(), from_hex(k_rs512)));
    for (const char* text : {k_ps256_salt_of_20, k_ps256_no_salt, k_ps256_mgf1_with_sha1})
        EXPECT_FALSE(verified(ps256, rsa_key(), from_hex(text)));
    // The same numbers, in BER with a length that is longer than needed.
    auto ber = from_hex(k_es256_der);
    ber.insert(ber.begin() + 1, 0x81);
    EXPECT_FALSE(verified(es256_der, p256_key(), ber));
}

TEST(PublicKey, points_off_their_curve_are_refused) {
    auto x = from_hex(k_x);
    auto y = from_hex(k_y);
    EXPECT_EQ(refused(PublicKey::p256(y, x)), "key_no_point");
    EXPECT_EQ(refused(PublicKey::p256(Bytes(32), Bytes(32))), "key_no_point");
    EXPECT_EQ(refused(PublicKey::p256(Bytes(32, 0xFF), y)), "key_no_point");
    EXPECT_EQ(refused(PublicKey::p256(x, ByteView(y).first(31))), "key_wrong_size");
    EXPECT_EQ(refused(PublicKey::p256({}, {})), "key_wrong_size");
    x.push_back(0);
    EXPECT_EQ(refused(PublicKey::p256(x, y)), "key_wrong_size");
    x.pop_back();
    y.back() ^= 1U;
    EXPECT_EQ(refused(PublicKey::p256(x, y)), "key_no_point");

    EXPECT_EQ(refused(PublicKey::ed25519(Bytes(31))), "key_wrong_size");
    EXPECT_EQ(refused(PublicKey::ed25519(Bytes(33))), "key_wrong_size");
    // Small order: 0, 1, -1; not canonical: 2^255 - 19 + 1; off the curve: y = 2.
    for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                              "0100000000000000000000000000000000000000000000000000000000000000",
                              "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                              "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                              "0200000000000000000000000000000000000000000000000000000000000000"}) {
        EXPECT_EQ(refused(PublicKey::ed25519(from_hex(point))), "key_no_point") << point;
    }
}

TEST(PublicKey, weak_rsa_numbers_are_refused) {
    const auto modulus = [](std::size_t bytes, std::uint8_t first, std::uint8_t last) {
        Bytes out(bytes, 0x5A);
        out.front() = first;
        out.back() = last;
        return out;
    };
    const Bytes exponent{1, 0, 1};
    EXPECT_EQ(refused(PublicKey::rsa(modulus(256, 0x80, 1), exponent)), "");
    EXPECT_EQ(refused(PublicKey::rsa(modulus(512, 0xFF, 1), exponent)), "");
    for (const auto& weak :
         {Bytes(), modulus(256, 0x7F, 1), modulus(255, 0xFF, 1), modulus(128, 0xFF, 1),
          modulus(257, 0, 1), modulus(513, 1, 1), modulus(8192, 0xFF, 1), modulus(256, 0x80, 2)}) {
        EXPECT_EQ(refused(PublicKey::rsa(weak, exponent)), "key_weak_modulus") << weak.size();
    }
    for (const Bytes& bad : {Bytes(), Bytes{1}, Bytes{2}, Bytes{0, 3}, Bytes{1, 0, 0},
                             Bytes{1, 0, 0, 0, 1}, Bytes(256, 0xFF)}) {
        EXPECT_EQ(refused(PublicKey::rsa(modulus(256, 0x80, 1), bad)), "key_bad_exponent");
    }
}

}  // namespace
}  // namespace postern::crypto
