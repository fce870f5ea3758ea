#pragma once

#include "features/vault/attempt_budget.h"
#include "features/vault/places.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/secret_sharing.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::vault {

struct KeyringKeyRow {
    std::uint32_t version = 0;
    Bytes wrap;
};
/// What identifies a keyring and opens it with its root key.
struct KeyringHead {
    std::string fingerprint;    ///< of the root key it is under
    std::uint32_t version = 0;  ///< of the newest keyring key
    Bytes keyring_wrap;
    std::optional<KeyringKeyRow> older;  ///< until its rotation is done
    Bytes receipt_public;
    Bytes receipt_wrap;
};
/// The kit that was made last. Its shares are on paper only.
struct RecoveryKitRow {
    crypto::SharingScheme scheme;
    Bytes public_wrap;   ///< the kit's public key, sealed so that nobody can put in their own
    Bytes root_key_box;  ///< the root key, boxed to that public key
};
inline constexpr std::uint32_t k_first_generation = 1;
struct WorkspaceKeyRow {
    WorkspaceId workspace;
    std::uint32_t version = 0;  ///< of the keyring key that wraps it
    Bytes wrap;
    std::uint32_t generation = k_first_generation;
};
/// A derived key of an earlier generation, wrapped under the workspace key `under`.
struct KeptKeyRow {
    std::uint32_t generation = 0;
    std::uint32_t purpose = 0;
    std::uint32_t under = 0;
    Bytes wrap;
};
/// All keys of a workspace. While they are rotated there is a next one, and wraps under both.
struct WorkspaceKeyRows {
    WorkspaceKeyRow present;
    std::optional<WorkspaceKeyRow> next;
    std::vector<KeptKeyRow> kept;  ///< under either

    [[nodiscard]] const WorkspaceKeyRow& newest() const { return next ? *next : present; }
};
/// Each wrap says which generation of the workspace key it is under.
struct SubjectKeyRow {
    CreatorId creator;
    Bytes wrap;
    std::uint32_t generation = k_first_generation;
};

enum class IntegrationState : std::uint8_t { fresh = 0, live = 1, cut_off = 2 };
struct IntegrationRow {
    IntegrationState state = IntegrationState::fresh;
    std::uint64_t epoch = 0;
    std::uint64_t pending_epoch = 0;  ///< 0: none
    std::uint64_t minted_epoch = 0;   ///< no epoch up to it is ever given out again
};

/// With what is there of its keys, whatever its row says.
struct IntegrationStanding {
    std::optional<IntegrationRow> row;
    std::uint64_t keys = 0;  ///< shares and grant keys, but for the shares of the pending epoch
    std::vector<GrantId> grants;  ///< that have a key, in order
};

struct HolderShareRow {
    HolderId holder;
    Bytes public_key;
    Bytes wrap;
    std::uint32_t generation = k_first_generation;
};
/// The halves of one epoch that can be destroyed.
struct Shares {
    Bytes server;
    std::vector<HolderShareRow> holders;
    std::uint32_t generation = k_first_generation;  ///< of the server's wrap
};

/// Whose secret may be tried, and what their counts were before.
struct ChargedAttempts {
    struct Holder {
        HolderId holder;
        Attempts before;
    };
    std::vector<Holder> holders;
    std::int64_t retry_after_s = 0;  ///< where nobody's may be: until the first one's may

    [[nodiscard]] bool allows(HolderId holder) const {
        return std::ranges::any_of(holders,
                                   [&](const Holder& each) { return each.holder == holder; });
    }
};
struct GrantKeyRow {
    GrantId grant;
    std::uint64_t epoch = 0;
    UnixMs expires_at_ms = 0;
    Bytes wrap;
    std::uint32_t generation = k_first_generation;
};
struct CutOffOutcome {
    std::uint64_t epoch = 0;
    std::uint32_t grants = 0;  ///< keys destroyed
};
/// A charged use: the wraps that open it.
struct GrantUse {
    Bytes key_wrap;
    Bytes server_share;
    std::uint32_t key_generation = k_first_generation;
    std::uint32_t share_generation = k_first_generation;
};

/// One wrap under a workspace key, whatever it holds: what a rotation works on.
struct WrapRow {
    enum class Kind : std::uint8_t { subject, server_share, holder_share, grant };
    Kind kind = Kind::subject;
    CreatorId creator;
    IntegrationKey integration;
    std::uint64_t epoch = 0;
    HolderId holder;
    GrantId grant;
    Bytes wrap;
};
/// The keys that come next, and what is kept of the ones before, under them.
struct WorkspaceRotation {
    WorkspaceKeyRow next;
    std::vector<KeptKeyRow> kept;
};
struct RotationStart {
    std::string root_key;  ///< fingerprint of the one that the caller has
    std::optional<KeyringKeyRow> keyring_key;
    std::vector<WorkspaceRotation> workspaces;
};
/// A root key's rotation: everything that is under the root key, under the next one.
struct RootKeyChange {
    std::string from;  ///< fingerprint
    KeyringHead head;
    RecoveryKitRow kit;
};

/// The keyring as stored: wraps and counters, no key. Each call is one transaction, durable on
/// return; a crash leaves all of it or nothing.
///
/// Wraps are stored only under keys that are there: keys_rotated tells that the caller's are of
/// before a rotation, and that fresh ones will do.
///
/// Executor: blocks; any thread. Errors: StoreError, and KeyError where named.
class KeyringStore {
public:
    virtual ~KeyringStore() = default;

    virtual Result<std::optional<KeyringHead>> head() = 0;
    /// Errors: conflict when there is one.
    virtual Result<> create(KeyringHead head, WorkspaceKeyRow installation) = 0;

    virtual Result<std::optional<RecoveryKitRow>> recovery_kit() = 0;
    /// In place of the one before. Errors: conflict unless the keyring is under the root key
    /// `under`, which is in the kit.
    virtual Result<> put_recovery_kit(RecoveryKitRow row, std::string under) = 0;

    virtual Result<std::optional<WorkspaceKeyRows>> workspace_keys(WorkspaceId workspace) = 0;
    /// Keeps the one that is there. Errors: keys_rotated.
    virtual Result<> add_workspace_key(WorkspaceKeyRow row) = 0;
    virtual Result<std::vector<SubjectKeyRow>> subject_keys(WorkspaceId workspace,
                                                            std::vector<CreatorId> creators) = 0;
    /// Keeps those that are there. Errors: keys_rotated.
    virtual Result<> add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) = 0;
    virtual Result<> destroy_subject_keys(WorkspaceId workspace,
                                          std::vector<CreatorId> creators) = 0;

    /// In the order asked; nothing where there is none.
    virtual Result<std::vector<std::optional<IntegrationRow>>> integrations(
        WorkspaceId workspace, std::vector<IntegrationId> ids) = 0;
    /// In the order asked, in one transaction. `planted`: beside a server share, a holder share and
    /// a grant key of each, in a transaction that is rolled back.
    virtual Result<std::vector<IntegrationStanding>> standings(WorkspaceId workspace,
                                                               std::vector<IntegrationId> ids,
                                                               bool planted) = 0;
    /// Whether another workspace has an integration of this id.
    virtual Result<bool> is_of_another(IntegrationKey key) = 0;
    virtual Result<Shares> shares(IntegrationKey key, std::uint64_t epoch) = 0;

    /// Makes `epoch` the pending one in place of any other. Errors: stale_epoch when it is not the
    /// one after minted_epoch; unknown_integration when it is another workspace's; keys_rotated.
    virtual Result<> put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) = 0;
    /// Makes the pending epoch the only one: destroys all other shares, grant keys and the attempt
    /// counts, but of who keeps their secret. Good again when it is done already. Errors:
    /// stale_epoch.
    virtual Result<> commit_pending(IntegrationKey key, std::uint64_t epoch) = 0;
    /// Good also when there is none.
    virtual Result<> abandon_pending(IntegrationKey key, std::uint64_t epoch) = 0;
    /// Raises the epoch and destroys all shares and grant keys. Good again when it is done already.
    /// Errors: unknown_integration.
    virtual Result<CutOffOutcome> cut_off(IntegrationKey key) = 0;

    /// Charges one try at each of the holders; those in their pause are left out.
    virtual Result<ChargedAttempts> charge_attempts(IntegrationKey key,
                                                    std::vector<HolderId> holders,
                                                    UnixMs now) = 0;
    /// The secret was the first holder's: their count is cleared, and the others are given back the
    /// try, which was none at theirs.
    virtual Result<> settle_attempts(IntegrationKey key,
                                     HolderId opened,
                                     ChargedAttempts charged) = 0;

    /// One more holder of the present epoch, in place of what an earlier try made. Errors:
    /// stale_epoch, keys_rotated.
    virtual Result<> add_holder(IntegrationKey key, std::uint64_t epoch, HolderShareRow row) = 0;

    /// Errors: stale_epoch unless it is of the present epoch; conflict; ceiling_reached for too
    /// many grants of one integration; keys_rotated.
    virtual Result<> add_grant(IntegrationKey key, GrantKeyRow row) = 0;
    virtual Result<> destroy_grant(IntegrationKey key, GrantId grant) = 0;
    /// Counts one use in the hour of `now`. Errors: integration_sealed where there is no such
    /// grant, stale_epoch, ceiling_reached with the time to wait.
    virtual Result<GrantUse> use_grant(IntegrationKey key,
                                       const keys::GrantSeal& grant,
                                       UnixMs now) = 0;
    virtual Result<std::int64_t> destroy_expired_grants(UnixMs now) = 0;
    /// Of a workspace, or all. Returns the integration of each.
    virtual Result<std::vector<IntegrationKey>> destroy_all_grants(
        std::optional<WorkspaceId> workspace) = 0;

    /// Errors: conflict unless the keyring is under the root key `from`.
    virtual Result<> change_root_key(RootKeyChange change) = 0;

    /// Rotations are begun, worked off in batches, and finished: whoever finds one under way goes
    /// on with it. All of it begins or nothing. Errors: conflict where one is under way already, a
    /// number is not the next one, or the keyring is under another root key.
    virtual Result<> begin_rotation(RotationStart start) = 0;
    /// Workspace keys, next ones too, that are under this keyring key.
    virtual Result<std::vector<WorkspaceKeyRow>> workspace_keys_under(std::uint32_t version,
                                                                      std::size_t max) = 0;
    /// Errors: keys_rotated where one is under a keyring key that is not there.
    virtual Result<> rewrap_workspace_keys(std::vector<WorkspaceKeyRow> rows) = 0;
    /// Destroys the older keyring key. False while a workspace key is under it.
    virtual Result<bool> finish_keyring_rotation(std::uint32_t older) = 0;

    /// From begin_rotation() or change_root_key() until end_rotation(), which follows the purge.
    virtual Result<bool> rotation_under_way() = 0;
    /// False, and nothing changes, while there are two keyring keys or a next workspace key.
    virtual Result<bool> end_rotation() = 0;

    virtual Result<std::vector<WorkspaceId>> all_workspaces() = 0;
    virtual Result<std::vector<WorkspaceId>> workspaces_in_rotation() = 0;
    virtual Result<std::vector<WrapRow>> wraps_under(WorkspaceId workspace,
                                                     std::uint32_t generation,
                                                     std::size_t max) = 0;
    /// Replaces wraps that are there under `before` by those, which are under the generation after.
    virtual Result<> rewrap(WorkspaceId workspace,
                            std::uint32_t before,
                            std::vector<WrapRow> rows) = 0;
    /// Makes the next key the present one and destroys the one before with what was kept under it.
    /// False while a wrap is under it; good again when it is done already.
    virtual Result<bool> finish_workspace_rotation(WorkspaceId workspace, std::uint32_t before) = 0;

    /// In one transaction, which is rolled back where something is planted.
    virtual Result<keys::CountWraps::Answer> count_wraps(bool planted) = 0;

    /// Afterwards no file of the store holds what was destroyed.
    virtual Result<> purge() = 0;
    /// Room on a full disk, for what must be written even then; and back, when there is some again.
    virtual Result<> release_reserve() = 0;
    virtual Result<> restore_reserve() = 0;
};

}  // namespace postern::vault
