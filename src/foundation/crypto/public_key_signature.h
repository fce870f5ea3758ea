#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <memory>

namespace postern::crypto {

/// Signatures of others that we check: of authenticators (WebAuthn), of identity providers (JWT).
/// Names as in RFC 7518 and RFC 9053; each is over SHA-256 but Ed25519.
enum class SignatureAlgorithm {
    es256,      ///< ECDSA on P-256; r and s, 32 bytes each (RFC 7518 section 3.4)
    es256_der,  ///< the same as DER Ecdsa-Sig-Value (WebAuthn section 6.5.5)
    rs256,      ///< RSASSA-PKCS1-v1_5
    ps256,      ///< RSASSA-PSS, MGF1 with SHA-256, a salt of 32 bytes
    ed25519,    ///< RFC 8032
};

enum class PublicKeyError {
    wrong_size,    ///< of a coordinate
    no_point,      ///< not on the curve, or of a small order
    weak_modulus,  ///< not 2048 to 4096 bits, or even
    bad_exponent,  ///< even, 1, or above 32 bits
};

constexpr ErrorInfo describe(PublicKeyError error) {
    switch (error) {
        case PublicKeyError::wrong_size:
            return {"key_wrong_size", "The public key is not as long as its kind is."};
        case PublicKeyError::no_point:
            return {"key_no_point", "The public key is no point of its curve."};
        case PublicKeyError::weak_modulus:
            return {"key_weak_modulus", "The public key's modulus is not 2048 to 4096 bits long."};
        case PublicKeyError::bad_exponent:
            return {"key_bad_exponent", "The public key's exponent is not one to be used."};
    }
    return {"key_wrong_size", "The public key is not as long as its kind is."};
}

/// A checked public key of somebody else. Numbers are big-endian.
class PublicKey {
public:
    /// A point of P-256, 32 bytes each. Errors: wrong_size, no_point.
    [[nodiscard]] static Result<PublicKey> p256(ByteView x, ByteView y);
    /// 32 bytes (RFC 8032 section 5.1.5). Errors: wrong_size, no_point.
    [[nodiscard]] static Result<PublicKey> ed25519(ByteView point);
    /// Without zeroes in front. Errors: weak_modulus, bad_exponent.
    [[nodiscard]] static Result<PublicKey> rsa(ByteView modulus, ByteView exponent);

private:
    friend bool verify(SignatureAlgorithm, const PublicKey&, ByteView, ByteView);
    struct Key;
    struct Free {
        void operator()(Key* key) const noexcept;
    };
    explicit PublicKey(std::unique_ptr<Key, Free> key) : key_(std::move(key)) {}

    std::unique_ptr<Key, Free> key_;
};

/// False for every signature that is not the one, whatever its form; also where the key is not of
/// the algorithm's kind.
[[nodiscard]] bool verify(SignatureAlgorithm algorithm,
                          const PublicKey& key,
                          ByteView message,
                          ByteView signature);

}  // namespace postern::crypto
