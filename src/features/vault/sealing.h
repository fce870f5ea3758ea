#pragma once

#include "features/vault/places.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"
#include "platform/keys/seals.h"

#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace postern::vault {

inline constexpr std::size_t k_holders_max = 8;
inline constexpr std::size_t k_destination_bytes_max = 32 * 1024;
inline constexpr std::size_t k_credential_bytes_max = 16 * 1024;

/// The halves that keeper holds of one epoch.
struct OpenShares {
    Secret server;
    struct Holder {
        Bytes public_key;
        Secret share;
    };
    std::map<HolderId, Holder> holders;
};

/// Destination and credential as one, sealed together: neither can be exchanged alone.
[[nodiscard]] Secret join_content(ByteView destination, const Secret& credential);
struct Content {
    Bytes destination;
    Secret credential;
};
/// Errors: cannot_open.
[[nodiscard]] Result<Content> split_content(const Secret& joined);

/// What a new epoch is made of.
struct NewSeal {
    IntegrationKey key;
    std::uint64_t epoch = 0;
    std::optional<HolderId> holder;  ///< who gives a new secret; nothing: nobody does
    Secret shared_secret;            ///< canonical
    Secret content;
    std::vector<keys::HolderSeal> absent;  ///< other holders, as the epoch before had them
    OpenShares absent_shares;              ///< theirs, taken over
    crypto::Argon2Cost cost;
};
struct MadeSeal {
    keys::Seal seal;
    OpenShares shares;
    Secret integration_key;
};
/// Runs Argon2id: about 90 ms. Errors: out_of_memory; wrong_secret when an absent holder is none of
/// ours.
[[nodiscard]] Result<MadeSeal> make_seal(NewSeal wanted);

/// One more holder of a seal that is open.
struct NewHolder {
    IntegrationKey key;
    std::uint64_t epoch = 0;
    HolderId holder;
    Secret shared_secret;  ///< canonical
    Secret integration_key;
    Secret server_share;
    crypto::Argon2Cost cost;
};
struct MadeHolder {
    keys::HolderSeal seal;
    Secret share;
};
/// Runs Argon2id. Errors: out_of_memory.
[[nodiscard]] Result<MadeHolder> make_holder(const NewHolder& wanted);

/// A seal whose sizes and costs are those that we make; any other is not looked at further.
[[nodiscard]] bool is_sound(const keys::Seal& seal);

struct OpenedSeal {
    Secret integration_key;
    HolderId holder;
};
/// Tries the secret at each holder of the seal for whom `may_try` is true; runs Argon2id for each.
/// Errors: wrong_secret,
/// whatever does not fit (the secret, a changed byte, another integration's seal, other shares);
/// out_of_memory.
[[nodiscard]] Result<OpenedSeal> open_seal(
    const IntegrationKey& key,
    const keys::Seal& seal,
    const OpenShares& shares,
    const Secret& shared_secret,
    const std::function<bool(HolderId)>& may_try = [](HolderId) { return true; });

/// The key of the credential, from the integration's. Errors: cannot_open.
[[nodiscard]] Result<Secret> open_credential_key(const IntegrationKey& key,
                                                 const keys::Seal& seal,
                                                 const Secret& integration_key);
/// Destination and credential, joined. Errors: cannot_open.
[[nodiscard]] Result<Secret> open_content(const IntegrationKey& key,
                                          const keys::Seal& seal,
                                          const Secret& integration_key);

}  // namespace postern::vault
