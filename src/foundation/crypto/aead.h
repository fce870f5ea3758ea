#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/place.h"

namespace postern::crypto {

/// XChaCha20-Poly1305 with a random nonce, for records and wraps.
/// Form: version 1 | 24 nonce | ciphertext and tag: k_record_overhead bytes more than it holds.
[[nodiscard]] Bytes seal(const Secret& key, ByteView plaintext, const Place& place);
[[nodiscard]] Bytes seal(const Secret& key, const Secret& plaintext, const Place& place);
/// Errors: cannot_open.
[[nodiscard]] Result<Bytes> open(const Secret& key, ByteView sealed, const Place& place);
[[nodiscard]] Result<Secret> open_secret(const Secret& key, ByteView sealed, const Place& place);
inline constexpr std::size_t k_record_overhead = 1 + 24 + 16;

/// The same with a commitment to the key, for everything under a key made from a person's secret:
/// without one, a ciphertext can be made that opens under many keys, and each try at opening it
/// then rules out many guesses at once (partitioning oracle, Len, Grubbs, Ristenpart 2021).
/// Form: version 2 | 32 commitment | 24 nonce | ciphertext and tag.
[[nodiscard]] Bytes seal_committed(const Secret& key, const Secret& plaintext, const Place& place);
[[nodiscard]] Result<Secret> open_committed(const Secret& key, ByteView sealed, const Place& place);

/// AES-256-GCM for large objects. The key must be fresh and random for this one object: the nonce
/// is fixed. Form: version 3 | ciphertext and tag.
[[nodiscard]] Bytes seal_bulk(const Secret& fresh_key, ByteView plaintext, const Place& place);
[[nodiscard]] Result<Bytes> open_bulk(const Secret& key, ByteView sealed, const Place& place);

}  // namespace postern::crypto
