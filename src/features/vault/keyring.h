#pragma once

#include "features/vault/keyring_store.h"
#include "features/vault/lru_cache.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/secret_sharing.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {

/// The key from which a creator's message wraps are made; shared, because a batch holds it while
/// the cache moves on.
using SubjectKey = std::shared_ptr<const Secret>;

/// A new keyring's rows.
struct NewKeyring {
    KeyringHead head;
    WorkspaceKeyRow installation;
};

/// Root key -> keyring key -> workspace keys -> derived keys, opened from stored wraps and cached
/// in locked memory. Knows no storage: what is missing here is read by the caller and admitted.
///
/// Executor: one thread; WorkspaceKeys and SubjectKey may go to others.
class Keyring {
public:
    static constexpr std::size_t k_workspaces_max = 256;
    static constexpr std::size_t k_subjects_max = 16384;

    [[nodiscard]] static NewKeyring make(const Secret& root_key);
    /// Errors: wrong_root_key, naming the one it wants; keyring_damaged.
    [[nodiscard]] static Result<Keyring> open(const Secret& root_key, const KeyringHead& head);

    /// Of the root key.
    [[nodiscard]] std::string fingerprint() const;
    /// For what a new file of it is written from.
    [[nodiscard]] Secret copy_root_key() const;
    /// The root key, boxed for whoever joins the shares of this kit.
    [[nodiscard]] RecoveryKitRow box_root_key(ByteView kit_public_key,
                                              const crypto::SharingScheme& scheme) const;

    [[nodiscard]] WorkspaceKeyRow make_workspace_key(WorkspaceId workspace) const;
    /// Null until admitted.
    [[nodiscard]] std::shared_ptr<const WorkspaceKeys> workspace(WorkspaceId workspace);
    /// Errors: cannot_open.
    Result<> admit(const WorkspaceKeyRows& rows);

    [[nodiscard]] static SubjectKeyRow make_subject_key(const WorkspaceKeys& keys,
                                                        WorkspaceId workspace,
                                                        CreatorId creator);
    [[nodiscard]] SubjectKey subject(WorkspaceId workspace, CreatorId creator);
    /// Errors: cannot_open; keys_rotated when the wrap is under a key that is not among `keys`.
    Result<> admit(const WorkspaceKeys& keys, WorkspaceId workspace, const SubjectKeyRow& row);
    void forget(WorkspaceId workspace, const std::vector<CreatorId>& creators);
    /// Goes up with forget(): what was read from the store before is not admitted after.
    [[nodiscard]] std::uint64_t erasures() const noexcept { return erasures_; }

    [[nodiscard]] const crypto::SigningPair& receipt_pair() const noexcept { return receipt_; }

    /// What is under the root key, under another one. Errors: keyring_damaged.
    [[nodiscard]] Result<RootKeyChange> change_root_key(const Secret& next,
                                                        const KeyringHead& head,
                                                        const RecoveryKitRow& kit) const;
    void set_root_key(Secret next) { root_key_ = std::move(next); }

    [[nodiscard]] KeyringKeyRow make_keyring_key() const;
    /// From now on the newest, under which new workspace keys are made. Errors: keyring_damaged.
    Result<> admit(const KeyringKeyRow& row);
    void drop_keyring_key(std::uint32_t version) { wrap_keys_.erase(version); }
    /// The older of two.
    [[nodiscard]] std::optional<std::uint32_t> older_version() const;
    /// Under the newest keyring key. Errors: cannot_open.
    [[nodiscard]] Result<WorkspaceKeyRow> rewrap(const WorkspaceKeyRow& row) const;
    /// A workspace's next key, under `keyring_key` where that comes with it. Errors: cannot_open.
    [[nodiscard]] Result<WorkspaceRotation> rotate(const WorkspaceKeyRows& rows,
                                                   const KeyringKeyRow* keyring_key) const;

    /// Workspace keys in the store have changed: those in memory are not looked at again.
    void forget_workspaces() {
        ++rotations_;
        workspaces_.clear();
    }
    /// Goes up with forget_workspaces(): what was read from the store before is not admitted after.
    [[nodiscard]] std::uint64_t rotations() const noexcept { return rotations_; }

private:
    using WrapKeysByVersion = std::map<std::uint32_t, Secret>;

    Keyring(Secret root_key, WrapKeysByVersion wrap_keys, crypto::SigningPair receipt);
    [[nodiscard]] Result<Secret> open_key(const WorkspaceKeyRow& row) const;
    [[nodiscard]] Result<WorkspaceKeys> open(const WorkspaceKeyRows& rows) const;

    using SubjectId = std::pair<WorkspaceId, CreatorId>;

    Secret root_key_;
    WrapKeysByVersion wrap_keys_;  ///< one, two while they are rotated
    crypto::SigningPair receipt_;
    LruCache<WorkspaceId, std::shared_ptr<const WorkspaceKeys>> workspaces_{k_workspaces_max};
    LruCache<SubjectId, SubjectKey> subjects_{k_subjects_max};
    std::uint64_t erasures_ = 0;
    std::uint64_t rotations_ = 0;
};

}  // namespace postern::vault
