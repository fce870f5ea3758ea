#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"

namespace postern::crypto {

/// X25519 pair for sealed boxes (libsodium crypto_box_seal: anyone can seal, the owner opens).
struct BoxPair {
    Bytes public_key;  ///< 32 bytes
    Secret private_key;
};
[[nodiscard]] BoxPair make_box_pair();
[[nodiscard]] Bytes box_seal(ByteView public_key, const Secret& plaintext);
/// Errors: cannot_open.
[[nodiscard]] Result<Secret> box_open(const BoxPair& pair, ByteView sealed);
/// The public half of a stored private key.
[[nodiscard]] BoxPair box_pair_of(Secret private_key);

/// Ed25519 (RFC 8032). The private half is the 32-byte seed.
struct SigningPair {
    Bytes public_key;  ///< 32 bytes
    Secret seed;
};
[[nodiscard]] SigningPair make_signing_pair();
[[nodiscard]] SigningPair signing_pair_of(Secret seed);
[[nodiscard]] Bytes sign(const SigningPair& pair, ByteView message);
[[nodiscard]] bool verify(ByteView public_key, ByteView message, ByteView signature);

}  // namespace postern::crypto
