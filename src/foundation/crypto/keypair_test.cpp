#include "foundation/crypto/keypair.h"

#include "foundation/base/bytes.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/crypto_vectors_test.h"
#include "foundation/crypto/random.h"

#include <cstddef>
#include <string_view>

namespace postern::crypto {
namespace {

struct SignatureCase {
    std::string_view seed;
    std::string_view public_key;
    std::string_view message;
    std::string_view signature;
};
const SignatureCase k_signatures[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
};

TEST(Signing, matches_rfc_8032) {
    for (const auto& each : k_signatures) {
        const auto pair = signing_pair_of(secret_of(from_hex(each.seed)));
        EXPECT_EQ(pair.public_key, from_hex(each.public_key));
        EXPECT_EQ(sign(pair, from_hex(each.message)), from_hex(each.signature));
        EXPECT_TRUE(verify(pair.public_key, from_hex(each.message), from_hex(each.signature)));
    }
}

TEST(Signing, refuses_every_changed_byte) {
    const auto pair = make_signing_pair();
    const auto message = to_bytes("what the receipt says");
    const auto signature = sign(pair, message);
    ASSERT_TRUE(verify(pair.public_key, message, signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto changed = signature;
        changed[i] ^= 1;
        EXPECT_FALSE(verify(pair.public_key, message, changed)) << i;
    }
    for (std::size_t i = 0; i < message.size(); ++i) {
        auto changed = message;
        changed[i] ^= 0x80;
        EXPECT_FALSE(verify(pair.public_key, changed, signature)) << i;
    }
    EXPECT_FALSE(verify(make_signing_pair().public_key, message, signature));
}

TEST(Signing, refuses_wrong_sizes) {
    const auto pair = make_signing_pair();
    const auto signature = sign(pair, as_bytes("x"));
    EXPECT_FALSE(verify({}, as_bytes("x"), signature));
    EXPECT_FALSE(verify(pair.public_key, as_bytes("x"), {}));
    EXPECT_FALSE(verify(ByteView(pair.public_key).first(31), as_bytes("x"), signature));
    EXPECT_FALSE(verify(pair.public_key, as_bytes("x"), ByteView(signature).first(63)));
}

TEST(Box, public_key_matches_rfc_7748) {
    const auto pair = box_pair_of(
        secret_of(from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")));
    EXPECT_EQ(pair.public_key,
              from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
}

TEST(Box, opens_for_its_owner_only) {
    const auto owner = make_box_pair();
    const auto sealed = box_seal(owner.public_key, secret_of("for you alone"));
    const auto opened = box_open(owner, sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(bytes_of(*opened), to_bytes("for you alone"));
    EXPECT_TRUE(box_open(make_box_pair(), sealed).error().is(CryptoError::cannot_open));
}

TEST(Box, refuses_every_flipped_byte_and_every_cut) {
    const auto owner = make_box_pair();
    const auto sealed = box_seal(owner.public_key, secret_of("secret"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] ^= 0x10;
        EXPECT_FALSE(box_open(owner, changed)) << i;
        EXPECT_FALSE(box_open(owner, ByteView(sealed).first(i))) << i;
    }
}

TEST(Box, takes_an_empty_secret) {
    const auto owner = make_box_pair();
    const auto opened = box_open(owner, box_seal(owner.public_key, Secret()));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->empty());
}

TEST(Random, bytes_are_not_the_same_twice) {
    EXPECT_NE(random_bytes(32), random_bytes(32));
    EXPECT_EQ(random_bytes(0).size(), 0U);
    EXPECT_EQ(random_key().size(), k_key_bytes);
}

}  // namespace
}  // namespace postern::crypto
