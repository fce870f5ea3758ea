#include "features/identity/passkey_primitives.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/public_key_signature.h"

#include <array>
#include <cstdint>
#include <variant>

namespace postern::identity {
namespace {

crypto::SignatureAlgorithm algorithm_of(const webauthn::CoseKey& key) {
    switch (key.algorithm) {
        case webauthn::Algorithm::es256: return crypto::SignatureAlgorithm::es256_der;
        case webauthn::Algorithm::eddsa: return crypto::SignatureAlgorithm::ed25519;
        case webauthn::Algorithm::rs256: return crypto::SignatureAlgorithm::rs256;
    }
    return crypto::SignatureAlgorithm::es256_der;
}

Result<crypto::PublicKey> public_key(const webauthn::CoseKey& key) {
    if (const auto* const p256 = std::get_if<webauthn::P256Point>(&key.numbers))
        return crypto::PublicKey::p256(p256->x, p256->y);
    if (const auto* const rsa = std::get_if<webauthn::RsaNumbers>(&key.numbers))
        return crypto::PublicKey::rsa(rsa->modulus, rsa->exponent);
    return crypto::PublicKey::ed25519(std::get<webauthn::Ed25519Point>(key.numbers).bytes);
}

}  // namespace

std::array<std::uint8_t, 32> PasskeyPrimitives::sha256(ByteView data) const {
    return crypto::sha256(data);
}

bool PasskeyPrimitives::equal_in_constant_time(ByteView a, ByteView b) const {
    return crypto::equal_in_constant_time(a, b);
}

bool PasskeyPrimitives::is_usable(const webauthn::CoseKey& key) const {
    return public_key(key).has_value();
}

bool PasskeyPrimitives::verify(const webauthn::CoseKey& key,
                               ByteView message,
                               ByteView signature) const {
    const auto usable = public_key(key);
    return usable && crypto::verify(algorithm_of(key), *usable, message, signature);
}

}  // namespace postern::identity
