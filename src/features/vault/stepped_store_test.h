#pragma once

#include "features/vault/keyring_store.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::vault {

/// Passes everything on to another store, and tells a step before and after each change: a test can
/// end the process there, or have the change fail.
class SteppedStore final : public KeyringStore {
public:
    /// An error is the change's answer: from the step before it, which is then not made, or from
    /// the one after it.
    using Step = std::function<Result<>(std::string_view change, bool after)>;
    /// After workspace keys were read, and before that is told.
    using OnKeysRead = std::function<void()>;

    SteppedStore(std::unique_ptr<KeyringStore> inner, Step step, OnKeysRead on_keys_read = nullptr)
        : inner_(std::move(inner)),
          step_(std::move(step)),
          on_keys_read_(std::move(on_keys_read)) {}

    Result<std::optional<KeyringHead>> head() override { return inner_->head(); }
    Result<> create(KeyringHead head, WorkspaceKeyRow row) override {
        return inner_->create(std::move(head), std::move(row));
    }
    Result<std::optional<RecoveryKitRow>> recovery_kit() override { return inner_->recovery_kit(); }
    Result<> put_recovery_kit(RecoveryKitRow row, std::string under) override {
        return change("put_recovery_kit",
                      [&] { return inner_->put_recovery_kit(std::move(row), std::move(under)); });
    }
    Result<std::optional<WorkspaceKeyRows>> workspace_keys(WorkspaceId workspace) override {
        auto read = inner_->workspace_keys(workspace);
        if (on_keys_read_) on_keys_read_();
        return read;
    }
    Result<> add_workspace_key(WorkspaceKeyRow row) override {
        return inner_->add_workspace_key(std::move(row));
    }
    Result<std::vector<SubjectKeyRow>> subject_keys(WorkspaceId workspace,
                                                    std::vector<CreatorId> creators) override {
        return inner_->subject_keys(workspace, std::move(creators));
    }
    Result<> add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) override {
        return inner_->add_subject_keys(workspace, std::move(rows));
    }
    Result<> destroy_subject_keys(WorkspaceId workspace, std::vector<CreatorId> ids) override {
        return change("destroy_subject_keys",
                      [&] { return inner_->destroy_subject_keys(workspace, std::move(ids)); });
    }
    Result<std::vector<std::optional<IntegrationRow>>> integrations(
        WorkspaceId workspace, std::vector<IntegrationId> ids) override {
        return inner_->integrations(workspace, std::move(ids));
    }
    Result<std::vector<IntegrationStanding>> standings(WorkspaceId workspace,
                                                       std::vector<IntegrationId> ids,
                                                       bool planted) override {
        return inner_->standings(workspace, std::move(ids), planted);
    }
    Result<bool> is_of_another(IntegrationKey key) override { return inner_->is_of_another(key); }
    Result<Shares> shares(IntegrationKey key, std::uint64_t epoch) override {
        return inner_->shares(key, epoch);
    }
    Result<> put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) override {
        return change("put_pending",
                      [&] { return inner_->put_pending(key, epoch, std::move(shares)); });
    }
    Result<> commit_pending(IntegrationKey key, std::uint64_t epoch) override {
        return change("commit_pending", [&] { return inner_->commit_pending(key, epoch); });
    }
    Result<> abandon_pending(IntegrationKey key, std::uint64_t epoch) override {
        return change("abandon_pending", [&] { return inner_->abandon_pending(key, epoch); });
    }
    Result<CutOffOutcome> cut_off(IntegrationKey key) override {
        return change("cut_off", [&] { return inner_->cut_off(key); });
    }
    Result<ChargedAttempts> charge_attempts(IntegrationKey key,
                                            std::vector<HolderId> holders,
                                            UnixMs now) override {
        return change("charge_attempts",
                      [&] { return inner_->charge_attempts(key, holders, now); });
    }
    Result<> settle_attempts(IntegrationKey key,
                             HolderId opened,
                             ChargedAttempts charged) override {
        return change("settle_attempts",
                      [&] { return inner_->settle_attempts(key, opened, std::move(charged)); });
    }
    Result<> add_holder(IntegrationKey key, std::uint64_t epoch, HolderShareRow row) override {
        return change("add_holder", [&] { return inner_->add_holder(key, epoch, std::move(row)); });
    }
    Result<> add_grant(IntegrationKey key, GrantKeyRow row) override {
        return change("add_grant", [&] { return inner_->add_grant(key, std::move(row)); });
    }
    Result<> destroy_grant(IntegrationKey key, GrantId grant) override {
        return change("destroy_grant", [&] { return inner_->destroy_grant(key, grant); });
    }
    Result<GrantUse> use_grant(IntegrationKey key,
                               const keys::GrantSeal& grant,
                               UnixMs now) override {
        return change("use_grant", [&] { return inner_->use_grant(key, grant, now); });
    }
    Result<std::int64_t> destroy_expired_grants(UnixMs now) override {
        return inner_->destroy_expired_grants(now);
    }
    Result<std::vector<IntegrationKey>> destroy_all_grants(
        std::optional<WorkspaceId> workspace) override {
        return change("destroy_all_grants", [&] { return inner_->destroy_all_grants(workspace); });
    }
    Result<> change_root_key(RootKeyChange next) override {
        return change("change_root_key", [&] { return inner_->change_root_key(std::move(next)); });
    }
    Result<> begin_rotation(RotationStart start) override {
        return change("begin_rotation", [&] { return inner_->begin_rotation(std::move(start)); });
    }
    Result<std::vector<WorkspaceKeyRow>> workspace_keys_under(std::uint32_t version,
                                                              std::size_t max) override {
        return inner_->workspace_keys_under(version, max);
    }
    Result<> rewrap_workspace_keys(std::vector<WorkspaceKeyRow> rows) override {
        return change("rewrap_workspace_keys",
                      [&] { return inner_->rewrap_workspace_keys(std::move(rows)); });
    }
    Result<bool> finish_keyring_rotation(std::uint32_t older) override {
        return change("finish_keyring_rotation",
                      [&] { return inner_->finish_keyring_rotation(older); });
    }
    Result<bool> rotation_under_way() override { return inner_->rotation_under_way(); }
    Result<bool> end_rotation() override {
        return change("end_rotation", [&] { return inner_->end_rotation(); });
    }
    Result<std::vector<WorkspaceId>> all_workspaces() override { return inner_->all_workspaces(); }
    Result<std::vector<WorkspaceId>> workspaces_in_rotation() override {
        return inner_->workspaces_in_rotation();
    }
    Result<std::vector<WrapRow>> wraps_under(WorkspaceId workspace,
                                             std::uint32_t generation,
                                             std::size_t max) override {
        return inner_->wraps_under(workspace, generation, max);
    }
    Result<> rewrap(WorkspaceId workspace,
                    std::uint32_t before,
                    std::vector<WrapRow> rows) override {
        return change("rewrap", [&] { return inner_->rewrap(workspace, before, std::move(rows)); });
    }
    Result<bool> finish_workspace_rotation(WorkspaceId workspace, std::uint32_t before) override {
        return change("finish_workspace_rotation",
                      [&] { return inner_->finish_workspace_rotation(workspace, before); });
    }
    Result<keys::CountWraps::Answer> count_wraps(bool planted) override {
        return inner_->count_wraps(planted);
    }
    Result<> purge() override {
        return change("purge", [&] { return inner_->purge(); });
    }
    Result<> release_reserve() override {
        return change("release_reserve", [&] { return inner_->release_reserve(); });
    }
    Result<> restore_reserve() override { return inner_->restore_reserve(); }

private:
    template <typename F>
    auto change(std::string_view name, F work) -> decltype(work()) {
        if (auto before = step_(name, false); !before) return fail(std::move(before.error()));
        auto done = work();
        auto after = step_(name, true);
        if (done && !after) return fail(std::move(after.error()));
        return done;
    }

    std::unique_ptr<KeyringStore> inner_;
    Step step_;
    OnKeysRead on_keys_read_;
};

}  // namespace postern::vault
