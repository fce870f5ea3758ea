#pragma once

#include "foundation/crypto/place.h"
#include "platform/keys/seals.h"

#include <cstdint>

namespace postern::vault {

/// An integration of one workspace. An id alone is never looked up: ids of others are unknown.
struct IntegrationKey {
    WorkspaceId workspace;
    IntegrationId integration;
    auto operator<=>(const IntegrationKey&) const = default;
};

/// Where each wrap of the keyring, and each part of a seal in front's store, belongs.
[[nodiscard]] crypto::Place keyring_key_place(std::uint32_t version);
[[nodiscard]] crypto::Place installation_key_place(std::uint32_t purpose);
[[nodiscard]] crypto::Place recovery_kit_place();
[[nodiscard]] crypto::Place workspace_key_place(WorkspaceId workspace,
                                                std::uint32_t version,
                                                std::uint32_t generation);
/// Of a derived key that outlives the generation it was derived from.
[[nodiscard]] crypto::Place kept_key_place(WorkspaceId workspace,
                                           std::uint32_t generation,
                                           std::uint32_t purpose,
                                           std::uint32_t under);
[[nodiscard]] crypto::Place subject_key_place(WorkspaceId workspace,
                                              CreatorId creator,
                                              std::uint32_t purpose);
[[nodiscard]] crypto::Place server_share_place(const IntegrationKey& key, std::uint64_t epoch);
[[nodiscard]] crypto::Place holder_share_place(const IntegrationKey& key,
                                               std::uint64_t epoch,
                                               HolderId holder);
[[nodiscard]] crypto::Place grant_key_place(const IntegrationKey& key,
                                            std::uint64_t epoch,
                                            GrantId grant);

/// The holder's private key. It outlives epochs in which somebody else changed their secret, so no
/// epoch is in it; what is stored beside it in clear is.
[[nodiscard]] crypto::Place holder_private_place(const IntegrationKey& key,
                                                 const keys::HolderSeal& holder);
[[nodiscard]] crypto::Place boxed_key_place(const IntegrationKey& key,
                                            std::uint64_t epoch,
                                            const keys::HolderSeal& holder);
[[nodiscard]] crypto::Place credential_key_place(const IntegrationKey& key, std::uint64_t epoch);
[[nodiscard]] crypto::Place credential_place(const IntegrationKey& key, std::uint64_t epoch);
/// Verbs, ceiling and expiry are part of it: a changed one does not open.
[[nodiscard]] crypto::Place grant_place(const IntegrationKey& key, const keys::GrantSeal& grant);

}  // namespace postern::vault
