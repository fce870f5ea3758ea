#pragma once

#include "features/vault/keyring_store.h"
#include "features/vault/lru_cache.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/keys/message_keys.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace postern::vault {

/// What is done with a workspace key: one derived key per job, the workspace key itself is not
/// kept.
struct WorkspaceKeys {
    Secret subjects;
    Secret shares;
    Secret grants;
    Secret settings;
    std::array<Secret, keys::k_mac_purposes> macs;  ///< by keys::MacPurpose
};

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
    /// The root key, boxed for whoever joins the shares of this kit.
    [[nodiscard]] RecoveryKitRow box_root_key(ByteView kit_public_key,
                                              const crypto::SharingScheme& scheme) const;

    [[nodiscard]] WorkspaceKeyRow make_workspace_key(WorkspaceId workspace) const;
    /// Null until admitted.
    [[nodiscard]] std::shared_ptr<const WorkspaceKeys> workspace(WorkspaceId workspace);
    /// Errors: cannot_open.
    Result<> admit(const WorkspaceKeyRow& row);

    [[nodiscard]] static SubjectKeyRow make_subject_key(const WorkspaceKeys& keys,
                                                        WorkspaceId workspace,
                                                        CreatorId creator);
    [[nodiscard]] SubjectKey subject(WorkspaceId workspace, CreatorId creator);
    /// Errors: cannot_open.
    Result<> admit(const WorkspaceKeys& keys, WorkspaceId workspace, const SubjectKeyRow& row);
    void forget(WorkspaceId workspace, const std::vector<CreatorId>& creators);
    /// Goes up with forget(): what was read from the store before is not admitted after.
    [[nodiscard]] std::uint64_t erasures() const noexcept { return erasures_; }

    [[nodiscard]] const crypto::SigningPair& receipt_pair() const noexcept { return receipt_; }

private:
    Keyring(Secret root_key, Secret wrap_key, std::uint32_t version, crypto::SigningPair receipt);

    using SubjectId = std::pair<WorkspaceId, CreatorId>;

    Secret root_key_;
    Secret workspace_wrap_key_;
    std::uint32_t version_;
    crypto::SigningPair receipt_;
    LruCache<WorkspaceId, std::shared_ptr<const WorkspaceKeys>> workspaces_{k_workspaces_max};
    LruCache<SubjectId, SubjectKey> subjects_{k_subjects_max};
    std::uint64_t erasures_ = 0;
};

}  // namespace postern::vault
