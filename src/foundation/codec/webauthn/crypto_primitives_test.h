#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/primitives.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/public_key_signature.h"

#include <array>
#include <cstdint>
#include <variant>

namespace postern::webauthn::test {

/// The cryptography that the product uses.
class CryptoPrimitives final : public Primitives {
public:
    [[nodiscard]] std::array<std::uint8_t, 32> sha256(ByteView data) const override {
        return crypto::sha256(data);
    }
    [[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b) const override {
        return crypto::equal_in_constant_time(a, b);
    }
    [[nodiscard]] bool is_usable(const CoseKey& key) const override {
        return public_key(key).has_value();
    }
    [[nodiscard]] bool verify(const CoseKey& key,
                              ByteView message,
                              ByteView signature) const override {
        const auto usable = public_key(key);
        return usable && crypto::verify(algorithm(key.algorithm), *usable, message, signature);
    }

private:
    static crypto::SignatureAlgorithm algorithm(Algorithm algorithm) {
        switch (algorithm) {
            case Algorithm::es256: return crypto::SignatureAlgorithm::es256_der;
            case Algorithm::eddsa: return crypto::SignatureAlgorithm::ed25519;
            case Algorithm::rs256: return crypto::SignatureAlgorithm::rs256;
        }
        return crypto::SignatureAlgorithm::es256_der;
    }
    static Result<crypto::PublicKey> public_key(const CoseKey& key) {
        if (const auto* const p256 = std::get_if<P256Point>(&key.numbers))
            return crypto::PublicKey::p256(p256->x, p256->y);
        if (const auto* const rsa = std::get_if<RsaNumbers>(&key.numbers))
            return crypto::PublicKey::rsa(rsa->modulus, rsa->exponent);
        return crypto::PublicKey::ed25519(std::get<Ed25519Point>(key.numbers).bytes);
    }
};

}  // namespace postern::webauthn::test
