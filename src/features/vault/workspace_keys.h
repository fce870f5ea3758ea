#pragma once

#include "features/vault/keyring_store.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/message_keys.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace postern::vault {

/// What a workspace key wraps in the keyring, one derived key per job.
struct WrapKeys {
    std::uint32_t generation = 0;
    Secret subjects;
    Secret shares;
    Secret grants;
};

/// What is done with a workspace key: the workspace key itself is not kept.
///
/// A rotation changes all of it but the MACs: those of the first generation go on, because ids and
/// index tokens that were made with them are looked up for good (docs/design/0008).
struct WorkspaceKeys {
    WrapKeys newest;
    std::optional<WrapKeys> before;  ///< while wraps are being moved from it to the newest
    Secret settings;
    struct Older {
        std::uint32_t generation = 0;
        Secret settings;
    };
    std::vector<Older> older_settings;  ///< newest first; they open records, and seal none
    std::array<Secret, keys::k_mac_purposes> macs;  ///< by keys::MacPurpose
    Secret audit;  ///< of the chain of its audit record; goes on as the MACs do

    /// Null where the wrap is under a key that is gone, or newer than these.
    [[nodiscard]] const WrapKeys* under(std::uint32_t generation) const {
        if (newest.generation == generation) return &newest;
        return before && before->generation == generation ? &*before : nullptr;
    }
};

/// `next` is null where there is no rotation; `kept` is of rows.newest(). Errors: cannot_open.
[[nodiscard]] Result<WorkspaceKeys> derive_keys(const WorkspaceKeyRows& rows,
                                                const Secret& present,
                                                const Secret* next);
/// What a next key keeps of the ones before, wrapped under it.
[[nodiscard]] std::vector<KeptKeyRow> keep_keys(const WorkspaceKeys& keys,
                                                WorkspaceId workspace,
                                                std::uint32_t next_generation,
                                                const Secret& next);
/// One wrap, moved from `before` to the newest generation. Errors: cannot_open.
[[nodiscard]] Result<WrapRow> rewrap(const WorkspaceKeys& keys, WorkspaceId workspace, WrapRow row);

}  // namespace postern::vault
