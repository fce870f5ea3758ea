#pragma once

#include "features/vault/keyring_store.h"
#include "platform/store/database.h"
#include "platform/store/reserve.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {

/// Errors: keys_rotated, unless the workspace has a key of this generation.
[[nodiscard]] Result<> require_generation(store::Transaction& tx,
                                          WorkspaceId workspace,
                                          std::uint32_t generation);

/// Errors: conflict unless the keyring is under the root key of this fingerprint.
[[nodiscard]] Result<> require_root_key(store::Transaction& tx, std::string_view fingerprint);

/// The one implementation; its bodies are apart by what they are about: integrations in
/// keyring_store_sql.cpp, keys in keyring_keys_sql.cpp, rotation in keyring_rotation_sql.cpp.
class SqlKeyringStore final : public KeyringStore {
public:
    SqlKeyringStore(std::unique_ptr<store::Database> db, std::optional<store::Reserve> reserve)
        : db_(std::move(db)), reserve_(std::move(reserve)) {}

    Result<std::optional<KeyringHead>> head() override;
    Result<> create(KeyringHead head, WorkspaceKeyRow installation) override;
    Result<std::optional<RecoveryKitRow>> recovery_kit() override;
    Result<> put_recovery_kit(RecoveryKitRow row, std::string under) override;
    Result<std::optional<WorkspaceKeyRows>> workspace_keys(WorkspaceId workspace) override;
    Result<> add_workspace_key(WorkspaceKeyRow row) override;
    Result<std::vector<SubjectKeyRow>> subject_keys(WorkspaceId workspace,
                                                    std::vector<CreatorId> creators) override;
    Result<> add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) override;
    Result<> destroy_subject_keys(WorkspaceId workspace, std::vector<CreatorId> creators) override;
    Result<std::vector<std::optional<IntegrationRow>>> integrations(
        WorkspaceId workspace, std::vector<IntegrationId> ids) override;
    Result<std::vector<IntegrationStanding>> standings(WorkspaceId workspace,
                                                       std::vector<IntegrationId> ids,
                                                       bool planted) override;
    Result<bool> is_of_another(IntegrationKey key) override;
    Result<Shares> shares(IntegrationKey key, std::uint64_t epoch) override;
    Result<> put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) override;
    Result<> commit_pending(IntegrationKey key, std::uint64_t epoch) override;
    Result<> abandon_pending(IntegrationKey key, std::uint64_t epoch) override;
    Result<CutOffOutcome> cut_off(IntegrationKey key) override;
    Result<ChargedAttempts> charge_attempts(IntegrationKey key,
                                            std::vector<HolderId> holders,
                                            UnixMs now) override;
    Result<> settle_attempts(IntegrationKey key, HolderId opened, ChargedAttempts charged) override;
    Result<> add_holder(IntegrationKey key, std::uint64_t epoch, HolderShareRow row) override;
    Result<> add_grant(IntegrationKey key, GrantKeyRow row) override;
    Result<> destroy_grant(IntegrationKey key, GrantId grant) override;
    Result<GrantUse> use_grant(IntegrationKey key,
                               const keys::GrantSeal& grant,
                               UnixMs now) override;
    Result<std::int64_t> destroy_expired_grants(UnixMs now) override;
    Result<std::vector<IntegrationKey>> destroy_all_grants(
        std::optional<WorkspaceId> workspace) override;
    Result<> change_root_key(RootKeyChange change) override;
    Result<> begin_rotation(RotationStart start) override;
    Result<std::vector<WorkspaceKeyRow>> workspace_keys_under(std::uint32_t version,
                                                              std::size_t max) override;
    Result<> rewrap_workspace_keys(std::vector<WorkspaceKeyRow> rows) override;
    Result<bool> finish_keyring_rotation(std::uint32_t older) override;
    Result<bool> rotation_under_way() override;
    Result<bool> end_rotation() override;
    Result<std::vector<WorkspaceId>> all_workspaces() override;
    Result<std::vector<WorkspaceId>> workspaces_in_rotation() override;
    Result<std::vector<WrapRow>> wraps_under(WorkspaceId workspace,
                                             std::uint32_t generation,
                                             std::size_t max) override;
    Result<> rewrap(WorkspaceId workspace,
                    std::uint32_t before,
                    std::vector<WrapRow> rows) override;
    Result<bool> finish_workspace_rotation(WorkspaceId workspace, std::uint32_t before) override;
    Result<keys::CountWraps::Answer> count_wraps(bool planted) override;
    Result<> purge() override { return db_->checkpoint_truncate_now(); }
    Result<> release_reserve() override { return reserve_ ? reserve_->release() : Result<>(); }
    Result<> restore_reserve() override { return reserve_ ? reserve_->restore() : Result<>(); }

private:
    std::unique_ptr<store::Database> db_;
    std::optional<store::Reserve> reserve_;
};

}  // namespace postern::vault
