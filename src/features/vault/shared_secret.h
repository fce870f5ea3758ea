#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/secret_sharing.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::vault {

inline constexpr std::size_t k_shared_secret_bytes_max = 1024;

/// A shared secret for people to keep: 125 random bits as `xxxxx-xxxxx-xxxxx-xxxxx-xxxxx`.
[[nodiscard]] Secret generate_shared_secret();

/// A generated secret as printable lines, any `threshold` of which stand for it wherever it is
/// asked for. `scheme` is sound, with at most k_secret_shares_max shares.
inline constexpr std::uint8_t k_secret_shares_max = 8;
[[nodiscard]] std::vector<Secret> split_shared_secret(const Secret& generated,
                                                      const crypto::SharingScheme& scheme);

/// The bytes that are stretched. Shares, one after the other, become the secret they are of. Text
/// that reads as a generated secret (25 characters of its alphabet, whatever the case, the dashes,
/// the blanks or look-alikes) becomes its one form; any other is taken exactly as typed. The same
/// on sealing and on opening.
[[nodiscard]] Secret canonical_shared_secret(const Secret& typed);

/// The floor for secrets that people choose. Errors: weak_secret.
[[nodiscard]] Result<> check_strength(const Secret& typed);

}  // namespace postern::vault
