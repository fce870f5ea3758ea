#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"

#include <cstdint>
#include <vector>

namespace postern::crypto {

/// Any `threshold` of `shares` shares restore the secret.
struct SharingScheme {
    std::uint8_t shares = 1;
    std::uint8_t threshold = 1;
    bool operator==(const SharingScheme&) const = default;
};
/// 1 <= threshold <= shares, and a single one only as 1 of 1: a threshold of 1 among several would
/// be copies, not shares.
[[nodiscard]] bool is_sound(const SharingScheme& scheme);

struct SecretShare {
    std::uint8_t number = 0;  ///< 1 and up
    Secret bytes;             ///< as many as the secret has
};

/// Shamir, "How to share a secret" (1979), byte by byte over GF(2^8) modulo x^8+x^4+x^3+x+1: fewer
/// than `threshold` shares say nothing about the secret, whatever is computed with them. No share
/// can be checked by itself. `scheme` is sound.
[[nodiscard]] std::vector<SecretShare> split_secret(const Secret& secret,
                                                    const SharingScheme& scheme);

/// With fewer shares than the threshold, or with others' shares, the result is a wrong secret: the
/// caller recognises the right one. Errors: cannot_open for none, a number twice or 0, or unequal
/// sizes.
[[nodiscard]] Result<Secret> join_secret(const std::vector<SecretShare>& shares);

}  // namespace postern::crypto
