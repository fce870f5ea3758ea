#pragma once

#include "features/vault/attempt_budget.h"
#include "features/vault/places.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/secret_sharing.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::vault {

/// What identifies a keyring and opens it with its root key.
struct KeyringHead {
    std::string fingerprint;  ///< of the root key it was made with
    std::uint32_t version = 0;
    Bytes keyring_wrap;
    Bytes receipt_public;
    Bytes receipt_wrap;
};
/// The kit that was made last. Its shares are on paper only.
struct RecoveryKitRow {
    crypto::SharingScheme scheme;
    Bytes public_wrap;   ///< the kit's public key, sealed so that nobody can put in their own
    Bytes root_key_box;  ///< the root key, boxed to that public key
};
struct WorkspaceKeyRow {
    WorkspaceId workspace;
    std::uint32_t version = 0;
    Bytes wrap;
};
struct SubjectKeyRow {
    CreatorId creator;
    Bytes wrap;
};

enum class IntegrationState : std::uint8_t { fresh = 0, live = 1, cut_off = 2 };
struct IntegrationRow {
    IntegrationState state = IntegrationState::fresh;
    std::uint64_t epoch = 0;
    std::uint64_t pending_epoch = 0;  ///< 0: none
    std::uint64_t minted_epoch = 0;   ///< no epoch up to it is ever given out again
};

struct HolderShareRow {
    HolderId holder;
    Bytes public_key;
    Bytes wrap;
};
/// The halves of one epoch that can be destroyed.
struct Shares {
    Bytes server;
    std::vector<HolderShareRow> holders;
};

struct GrantKeyRow {
    GrantId grant;
    std::uint64_t epoch = 0;
    UnixMs expires_at_ms = 0;
    Bytes wrap;
};
struct CutOffOutcome {
    std::uint64_t epoch = 0;
    std::uint32_t grants = 0;  ///< keys destroyed
};
/// A charged use: the wraps that open it.
struct GrantUse {
    Bytes key_wrap;
    Bytes server_share;
};

/// The keyring as stored: wraps and counters, no key. Each call is one transaction, durable on
/// return; a crash leaves all of it or nothing.
///
/// Executor: blocks; any thread. Errors: StoreError, and KeyError where named.
class KeyringStore {
public:
    virtual ~KeyringStore() = default;

    virtual Result<std::optional<KeyringHead>> head() = 0;
    /// Errors: conflict when there is one.
    virtual Result<> create(KeyringHead head, WorkspaceKeyRow installation) = 0;

    virtual Result<std::optional<RecoveryKitRow>> recovery_kit() = 0;
    /// In place of the one before.
    virtual Result<> put_recovery_kit(RecoveryKitRow row) = 0;

    virtual Result<std::optional<WorkspaceKeyRow>> workspace_key(WorkspaceId workspace) = 0;
    /// Keeps the one that is there.
    virtual Result<> add_workspace_key(WorkspaceKeyRow row) = 0;
    virtual Result<std::vector<SubjectKeyRow>> subject_keys(WorkspaceId workspace,
                                                            std::vector<CreatorId> creators) = 0;
    /// Keeps those that are there.
    virtual Result<> add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) = 0;
    virtual Result<> destroy_subject_keys(WorkspaceId workspace,
                                          std::vector<CreatorId> creators) = 0;

    /// In the order asked; nothing where there is none.
    virtual Result<std::vector<std::optional<IntegrationRow>>> integrations(
        WorkspaceId workspace, std::vector<IntegrationId> ids) = 0;
    /// Whether another workspace has an integration of this id.
    virtual Result<bool> is_of_another(IntegrationKey key) = 0;
    virtual Result<Shares> shares(IntegrationKey key, std::uint64_t epoch) = 0;

    /// Makes `epoch` the pending one in place of any other. Errors: stale_epoch when it is not the
    /// one after minted_epoch; unknown_integration when it is another workspace's.
    virtual Result<> put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) = 0;
    /// Makes the pending epoch the only one: destroys all other shares, grant keys and the attempt
    /// count. Good again when it is done already. Errors: stale_epoch.
    virtual Result<> commit_pending(IntegrationKey key, std::uint64_t epoch) = 0;
    /// Good also when there is none.
    virtual Result<> abandon_pending(IntegrationKey key, std::uint64_t epoch) = 0;
    /// Raises the epoch and destroys all shares and grant keys. Good again when it is done already.
    /// Errors: unknown_integration.
    virtual Result<CutOffOutcome> cut_off(IntegrationKey key) = 0;

    /// Returns the seconds to wait, 0 when the try may be made.
    virtual Result<std::int64_t> charge_attempt(IntegrationKey key, UnixMs now) = 0;
    virtual Result<> clear_attempts(IntegrationKey key) = 0;

    /// Errors: stale_epoch unless it is of the present epoch; conflict; ceiling_reached for too
    /// many grants of one integration.
    virtual Result<> add_grant(IntegrationKey key, GrantKeyRow row) = 0;
    virtual Result<> destroy_grant(IntegrationKey key, GrantId grant) = 0;
    /// Counts one use in the hour of `now`. Errors: cannot_open where there is no such grant,
    /// stale_epoch, ceiling_reached with the time to wait.
    virtual Result<GrantUse> use_grant(IntegrationKey key,
                                       const keys::GrantSeal& grant,
                                       UnixMs now) = 0;
    virtual Result<std::int64_t> destroy_expired_grants(UnixMs now) = 0;

    /// Afterwards no file of the store holds what was destroyed.
    virtual Result<> purge() = 0;
    /// Room on a full disk, for what must be written even then; and back, when there is some again.
    virtual Result<> release_reserve() = 0;
    virtual Result<> restore_reserve() = 0;
};

}  // namespace postern::vault
