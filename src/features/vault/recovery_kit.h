#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/secret_sharing.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace postern::vault {

inline constexpr std::uint8_t k_kit_shares_max = 16;
inline constexpr std::size_t k_recovery_text_bytes_max = 8192;

/// What restores the root key when its file is gone: a random X25519 pair whose private half exists
/// only as printed shares. The keyring keeps the root key boxed to the public half, so that shares
/// open nothing without the keyring, and stay good when the root key is rotated.
struct RecoveryKit {
    Bytes public_key;
    /// One line each: `postern-recovery-2:` and Crockford base32 in groups of five of threshold,
    /// number of shares, the share's own number, the kit's id, 32 bytes, and a checksum.
    std::vector<Secret> shares;
};
/// `scheme` is sound, with at most k_kit_shares_max shares.
[[nodiscard]] RecoveryKit make_recovery_kit(const crypto::SharingScheme& scheme);

/// What typed or scanned shares give: the kit's pair, or (first version, one share) the root key.
struct JoinedShares {
    std::optional<crypto::BoxPair> kit;
    Secret root_key;
};
/// Reads shares one after the other. Case, spaces, line ends, dashes and look-alike characters
/// (o/0, i/l/1) do not matter. Errors: bad_recovery_text (its detail names the share),
/// newer_recovery_text, shares_do_not_fit.
[[nodiscard]] Result<JoinedShares> join_recovery_shares(const Secret& text);

}  // namespace postern::vault
