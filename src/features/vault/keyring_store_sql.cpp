#include "features/vault/keyring_store_sql.h"

#include "features/vault/attempt_budget.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/reserve.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;
using store::Clear;
using store::Database;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;

constexpr std::int64_t k_grants_max = 100;  // of one integration
constexpr std::int64_t k_hour_ms = 3'600'000;
constexpr std::int64_t k_receipt_purpose = 1;
constexpr std::int64_t k_outreach_purpose = 1;
constexpr std::string_view k_fingerprint_name = "root_key_fingerprint";

constexpr SqlText k_select_meta = "SELECT value FROM meta WHERE workspace_id = $1 AND name = $2";
constexpr SqlText k_insert_meta =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, $2, $3)";
constexpr SqlText k_select_keyring_key =
    "SELECT version, wrap FROM keyring_keys WHERE workspace_id = $1 "
    "ORDER BY version DESC LIMIT 1";
constexpr SqlText k_insert_keyring_key =
    "INSERT INTO keyring_keys (workspace_id, version, wrap) VALUES ($1, $2, $3)";
constexpr SqlText k_select_installation_key =
    "SELECT public_key, wrap FROM installation_keys WHERE workspace_id = $1 AND purpose = $2";
constexpr SqlText k_insert_installation_key =
    "INSERT INTO installation_keys (workspace_id, purpose, public_key, wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_select_recovery_kit =
    "SELECT shares, threshold, public_wrap, root_key_box FROM recovery_kits "
    "WHERE workspace_id = $1";
constexpr SqlText k_upsert_recovery_kit =
    "INSERT INTO recovery_kits (workspace_id, shares, threshold, public_wrap, root_key_box) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id) "
    "DO UPDATE SET shares = $2, threshold = $3, public_wrap = $4, root_key_box = $5";
constexpr SqlText k_select_workspace_key =
    "SELECT keyring_version, wrap FROM workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_insert_workspace_key =
    "INSERT INTO workspace_keys (workspace_id, keyring_version, wrap) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING";
constexpr SqlText k_select_subject_key =
    "SELECT wrap FROM subject_keys "
    "WHERE workspace_id = $1 AND creator_id = $2 AND purpose = $3";
constexpr SqlText k_insert_subject_key =
    "INSERT INTO subject_keys (workspace_id, creator_id, purpose, wrap) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING";
constexpr SqlText k_delete_subject_keys =
    "DELETE FROM subject_keys WHERE workspace_id = $1 AND creator_id = $2";

constexpr SqlText k_select_integration =
    "SELECT state, epoch, pending_epoch, minted_epoch FROM integrations "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_is_of_another =
    "SELECT 1 FROM integrations WHERE workspace_id <> $1 AND integration_id = $2 LIMIT 1";
constexpr SqlText k_upsert_pending =
    "INSERT INTO integrations "
    "(workspace_id, integration_id, state, epoch, pending_epoch, minted_epoch) "
    "VALUES ($1, $2, 0, 0, $3, $3) ON CONFLICT (workspace_id, integration_id) "
    "DO UPDATE SET pending_epoch = $3, minted_epoch = $3";
constexpr SqlText k_update_integration =
    "UPDATE integrations SET state = $3, epoch = $4, pending_epoch = 0, minted_epoch = $5 "
    "WHERE workspace_id = $1 AND integration_id = $2";

constexpr SqlText k_select_server_share =
    "SELECT wrap FROM server_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_insert_server_share =
    "INSERT INTO server_shares (workspace_id, integration_id, epoch, wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_delete_server_shares =
    "DELETE FROM server_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3";
constexpr SqlText k_delete_server_share =
    "DELETE FROM server_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_select_holder_shares =
    "SELECT holder_id, public_key, wrap FROM holder_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 ORDER BY holder_id";
constexpr SqlText k_insert_holder_share =
    "INSERT INTO holder_shares "
    "(workspace_id, integration_id, epoch, holder_id, public_key, wrap) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_delete_holder_shares =
    "DELETE FROM holder_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3";
constexpr SqlText k_delete_holder_share =
    "DELETE FROM holder_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";

constexpr SqlText k_select_grant =
    "SELECT epoch, hour, used, wrap FROM grant_keys "
    "WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_count_grants =
    "SELECT count(*) FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_insert_grant =
    "INSERT INTO grant_keys (workspace_id, integration_id, grant_id, epoch, expires_at_ms, hour, "
    "used, wrap) VALUES ($1, $2, $3, $4, $5, 0, 0, $6)";
constexpr SqlText k_update_grant =
    "UPDATE grant_keys SET hour = $4, used = $5 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_delete_grant =
    "DELETE FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_delete_grants =
    "DELETE FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_expired_grants = "DELETE FROM grant_keys WHERE expires_at_ms <= $1";

constexpr SqlText k_select_attempts =
    "SELECT failed, blocked_until_ms FROM attempts "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_upsert_attempts =
    "INSERT INTO attempts (workspace_id, integration_id, failed, blocked_until_ms) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, integration_id) "
    "DO UPDATE SET failed = $3, blocked_until_ms = $4";
constexpr SqlText k_delete_attempts =
    "DELETE FROM attempts WHERE workspace_id = $1 AND integration_id = $2";

// A statement that fails dooms its transaction, so the ones run for their effect are not checked.

std::int64_t stored(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}
std::uint64_t loaded(std::int64_t number) {
    return static_cast<std::uint64_t>(number);
}
/// Numbers from outside may not fit what is stored.
bool storable(std::uint64_t number) {
    return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Result<std::optional<IntegrationRow>> find_integration(Transaction& tx, const IntegrationKey& key) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_select_integration, {key.workspace, key.integration}));
    if (!row) return std::optional<IntegrationRow>();
    const auto state = row->integer(0);
    if (state < 0 || state > 2) return fail(store::StoreError::corrupt, "integrations.state");
    return std::optional(IntegrationRow{static_cast<IntegrationState>(state),
                                        loaded(row->integer(1)), loaded(row->integer(2)),
                                        loaded(row->integer(3))});
}

Result<std::int64_t> count_grants(Transaction& tx, const IntegrationKey& key) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_grants, {key.workspace, key.integration}));
    return row ? row->integer(0) : 0;
}

/// `kept_epoch` 0 keeps none: no share is of epoch 0.
void destroy_others(Transaction& tx, const IntegrationKey& key, std::uint64_t kept_epoch) {
    const auto kept = stored(kept_epoch);
    tx.execute(k_delete_server_shares, {key.workspace, key.integration, kept});
    tx.execute(k_delete_holder_shares, {key.workspace, key.integration, kept});
    tx.execute(k_delete_grants, {key.workspace, key.integration});
    tx.execute(k_delete_attempts, {key.workspace, key.integration});
}

void destroy_shares(Transaction& tx, const IntegrationKey& key, std::uint64_t epoch) {
    const auto gone = stored(epoch);
    tx.execute(k_delete_server_share, {key.workspace, key.integration, gone});
    tx.execute(k_delete_holder_share, {key.workspace, key.integration, gone});
}

class SqlKeyringStore final : public KeyringStore {
public:
    SqlKeyringStore(std::unique_ptr<Database> db, std::optional<store::Reserve> reserve)
        : db_(std::move(db)), reserve_(std::move(reserve)) {}

    Result<std::optional<KeyringHead>> head() override;
    Result<> create(KeyringHead head, WorkspaceKeyRow installation) override;
    Result<std::optional<RecoveryKitRow>> recovery_kit() override;
    Result<> put_recovery_kit(RecoveryKitRow row) override;
    Result<std::optional<WorkspaceKeyRow>> workspace_key(WorkspaceId workspace) override;
    Result<> add_workspace_key(WorkspaceKeyRow row) override;
    Result<std::vector<SubjectKeyRow>> subject_keys(WorkspaceId workspace,
                                                    std::vector<CreatorId> creators) override;
    Result<> add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) override;
    Result<> destroy_subject_keys(WorkspaceId workspace, std::vector<CreatorId> creators) override;
    Result<std::vector<std::optional<IntegrationRow>>> integrations(
        WorkspaceId workspace, std::vector<IntegrationId> ids) override;
    Result<bool> is_of_another(IntegrationKey key) override;
    Result<Shares> shares(IntegrationKey key, std::uint64_t epoch) override;
    Result<> put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) override;
    Result<> commit_pending(IntegrationKey key, std::uint64_t epoch) override;
    Result<> abandon_pending(IntegrationKey key, std::uint64_t epoch) override;
    Result<CutOffOutcome> cut_off(IntegrationKey key) override;
    Result<std::int64_t> charge_attempt(IntegrationKey key, UnixMs now) override;
    Result<> clear_attempts(IntegrationKey key) override;
    Result<> add_grant(IntegrationKey key, GrantKeyRow row) override;
    Result<> destroy_grant(IntegrationKey key, GrantId grant) override;
    Result<GrantUse> use_grant(IntegrationKey key,
                               const keys::GrantSeal& grant,
                               UnixMs now) override;
    Result<std::int64_t> destroy_expired_grants(UnixMs now) override;
    Result<> purge() override { return db_->checkpoint_truncate_now(); }
    Result<> release_reserve() override { return reserve_ ? reserve_->release() : Result<>(); }
    Result<> restore_reserve() override { return reserve_ ? reserve_->restore() : Result<>(); }

private:
    std::unique_ptr<Database> db_;
    std::optional<store::Reserve> reserve_;
};

Result<std::optional<KeyringHead>> SqlKeyringStore::head() {
    return db_->read_now([](Transaction& tx) -> Result<std::optional<KeyringHead>> {
        POSTERN_TRY(const auto meta,
                    tx.query_one(k_select_meta, {k_installation, Clear::text(k_fingerprint_name)}));
        if (!meta) return std::optional<KeyringHead>();
        POSTERN_TRY(const auto key, tx.query_one(k_select_keyring_key, {k_installation}));
        POSTERN_TRY(const auto receipt,
                    tx.query_one(k_select_installation_key, {k_installation, k_receipt_purpose}));
        if (!key || !receipt) return fail(store::StoreError::corrupt, "keyring without its keys");
        return std::optional(KeyringHead{
            std::string(as_text(meta->clear_bytes(0))), static_cast<std::uint32_t>(key->integer(0)),
            key->sealed(1).take(), receipt->clear_bytes(0), receipt->sealed(1).take()});
    });
}

Result<> SqlKeyringStore::create(KeyringHead head, WorkspaceKeyRow installation) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        tx.execute(k_insert_meta, {k_installation, Clear::text(k_fingerprint_name),
                                   Clear::bytes(as_bytes(head.fingerprint))});
        const SealedBytes keyring_wrap(head.keyring_wrap);
        tx.execute(k_insert_keyring_key, {k_installation, head.version, keyring_wrap});
        const SealedBytes receipt_wrap(head.receipt_wrap);
        tx.execute(k_insert_installation_key, {k_installation, k_receipt_purpose,
                                               Clear::bytes(head.receipt_public), receipt_wrap});
        const SealedBytes workspace_wrap(installation.wrap);
        tx.execute(k_insert_workspace_key, {k_installation, installation.version, workspace_wrap});
        return {};
    });
}

Result<std::optional<RecoveryKitRow>> SqlKeyringStore::recovery_kit() {
    return db_->read_now([](Transaction& tx) -> Result<std::optional<RecoveryKitRow>> {
        POSTERN_TRY(const auto row, tx.query_one(k_select_recovery_kit, {k_installation}));
        if (!row) return std::optional<RecoveryKitRow>();
        RecoveryKitRow kit;
        kit.scheme.shares = static_cast<std::uint8_t>(row->integer(0));
        kit.scheme.threshold = static_cast<std::uint8_t>(row->integer(1));
        kit.public_wrap = row->sealed(2).take();
        kit.root_key_box = row->sealed(3).take();
        return std::optional(std::move(kit));
    });
}

Result<> SqlKeyringStore::put_recovery_kit(RecoveryKitRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        const SealedBytes public_wrap(row.public_wrap);
        const SealedBytes box(row.root_key_box);
        tx.execute(k_upsert_recovery_kit, {k_installation, std::int64_t{row.scheme.shares},
                                           std::int64_t{row.scheme.threshold}, public_wrap, box});
        return {};
    });
}

Result<std::optional<WorkspaceKeyRow>> SqlKeyringStore::workspace_key(WorkspaceId workspace) {
    return db_->read_now([&](Transaction& tx) -> Result<std::optional<WorkspaceKeyRow>> {
        POSTERN_TRY(const auto row, tx.query_one(k_select_workspace_key, {workspace}));
        if (!row) return std::optional<WorkspaceKeyRow>();
        return std::optional(WorkspaceKeyRow{workspace, static_cast<std::uint32_t>(row->integer(0)),
                                             row->sealed(1).take()});
    });
}

Result<> SqlKeyringStore::add_workspace_key(WorkspaceKeyRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        const SealedBytes wrap(row.wrap);
        tx.execute(k_insert_workspace_key, {row.workspace, row.version, wrap});
        return {};
    });
}

Result<std::vector<SubjectKeyRow>> SqlKeyringStore::subject_keys(WorkspaceId workspace,
                                                                 std::vector<CreatorId> creators) {
    return db_->read_now([&](Transaction& tx) -> Result<std::vector<SubjectKeyRow>> {
        std::vector<SubjectKeyRow> found;
        for (const auto& creator : creators) {
            POSTERN_TRY(const auto row, tx.query_one(k_select_subject_key,
                                                     {workspace, creator, k_outreach_purpose}));
            if (row) found.push_back({creator, row->sealed(0).take()});
        }
        return found;
    });
}

Result<> SqlKeyringStore::add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& row : rows) {
            const SealedBytes wrap(row.wrap);
            tx.execute(k_insert_subject_key, {workspace, row.creator, k_outreach_purpose, wrap});
        }
        return {};
    });
}

Result<> SqlKeyringStore::destroy_subject_keys(WorkspaceId workspace,
                                               std::vector<CreatorId> creators) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& creator : creators) {
            tx.execute(k_delete_subject_keys, {workspace, creator});
        }
        return {};
    });
}

Result<std::vector<std::optional<IntegrationRow>>> SqlKeyringStore::integrations(
    WorkspaceId workspace, std::vector<IntegrationId> ids) {
    using Rows = std::vector<std::optional<IntegrationRow>>;
    return db_->read_now([&](Transaction& tx) -> Result<Rows> {
        Rows rows;
        for (const auto& id : ids) {
            POSTERN_TRY(auto row, find_integration(tx, {workspace, id}));
            rows.push_back(row);
        }
        return rows;
    });
}

Result<bool> SqlKeyringStore::is_of_another(IntegrationKey key) {
    return db_->read_now([&](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_is_of_another, {key.workspace, key.integration}));
        return row.has_value();
    });
}

Result<Shares> SqlKeyringStore::shares(IntegrationKey key, std::uint64_t epoch) {
    if (!storable(epoch)) return fail(KeyError::stale_epoch);
    return db_->read_now([&](Transaction& tx) -> Result<Shares> {
        POSTERN_TRY(
            const auto server,
            tx.query_one(k_select_server_share, {key.workspace, key.integration, stored(epoch)}));
        if (!server) return fail(KeyError::stale_epoch);
        Shares shares{server->sealed(0).take(), {}};
        POSTERN_TRY(const auto holders, tx.query(k_select_holder_shares,
                                                 {key.workspace, key.integration, stored(epoch)}));
        for (const auto& row : holders) {
            shares.holders.push_back(
                {row.id<HolderTag>(0), row.clear_bytes(1), row.sealed(2).take()});
        }
        return shares;
    });
}

Result<> SqlKeyringStore::put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) {
    if (!storable(epoch)) return fail(KeyError::stale_epoch);
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto elsewhere,
                    tx.query_one(k_is_of_another, {key.workspace, key.integration}));
        if (elsewhere) return fail(KeyError::unknown_integration);
        POSTERN_TRY(const auto found, find_integration(tx, key));
        const auto before = found.value_or(IntegrationRow{});
        if (epoch != before.minted_epoch + 1) return fail(KeyError::stale_epoch);
        destroy_shares(tx, key, before.pending_epoch);
        tx.execute(k_upsert_pending, {key.workspace, key.integration, stored(epoch)});
        const SealedBytes server(shares.server);
        tx.execute(k_insert_server_share, {key.workspace, key.integration, stored(epoch), server});
        for (const auto& holder : shares.holders) {
            const SealedBytes wrap(holder.wrap);
            tx.execute(k_insert_holder_share,
                       {key.workspace, key.integration, stored(epoch), holder.holder,
                        Clear::bytes(holder.public_key), wrap});
        }
        return {};
    });
}

Result<> SqlKeyringStore::commit_pending(IntegrationKey key, std::uint64_t epoch) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        const auto before = found.value_or(IntegrationRow{});
        const bool done = before.state == IntegrationState::live && before.epoch == epoch;
        if (done && epoch != 0) return {};
        if (epoch == 0 || before.pending_epoch != epoch) return fail(KeyError::stale_epoch);
        destroy_others(tx, key, epoch);
        tx.execute(k_update_integration, {key.workspace, key.integration,
                                          static_cast<std::int64_t>(IntegrationState::live),
                                          stored(epoch), stored(before.minted_epoch)});
        return {};
    });
}

Result<> SqlKeyringStore::abandon_pending(IntegrationKey key, std::uint64_t epoch) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found || epoch == 0 || found->pending_epoch != epoch) return {};
        destroy_shares(tx, key, epoch);
        tx.execute(k_update_integration,
                   {key.workspace, key.integration, static_cast<std::int64_t>(found->state),
                    stored(found->epoch), stored(found->minted_epoch)});
        return {};
    });
}

Result<CutOffOutcome> SqlKeyringStore::cut_off(IntegrationKey key) {
    return db_->write_now([&](Transaction& tx) -> Result<CutOffOutcome> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found) return fail(KeyError::unknown_integration);
        const bool done = found->state == IntegrationState::cut_off && found->pending_epoch == 0;
        if (done) return CutOffOutcome{found->epoch, 0};
        POSTERN_TRY(const auto grants, count_grants(tx, key));
        const auto epoch = found->minted_epoch + 1;
        destroy_others(tx, key, 0);
        tx.execute(k_update_integration, {key.workspace, key.integration,
                                          static_cast<std::int64_t>(IntegrationState::cut_off),
                                          stored(epoch), stored(epoch)});
        return CutOffOutcome{epoch, static_cast<std::uint32_t>(grants)};
    });
}

Result<std::int64_t> SqlKeyringStore::charge_attempt(IntegrationKey key, UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_select_attempts, {key.workspace, key.integration}));
        Attempts before;
        if (row) before = {row->integer(0), row->integer(1)};
        const auto charged = charge(before, now);
        if (charged.after == before) return charged.retry_after_s;
        tx.execute(k_upsert_attempts, {key.workspace, key.integration, charged.after.failed,
                                       charged.after.blocked_until_ms});
        return charged.retry_after_s;
    });
}

Result<> SqlKeyringStore::clear_attempts(IntegrationKey key) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        tx.execute(k_delete_attempts, {key.workspace, key.integration});
        return {};
    });
}

Result<> SqlKeyringStore::add_grant(IntegrationKey key, GrantKeyRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found || found->state != IntegrationState::live || found->epoch != row.epoch) {
            return fail(KeyError::stale_epoch);
        }
        // A repeated request: of its first try nobody has the seal.
        tx.execute(k_delete_grant, {key.workspace, key.integration, row.grant});
        POSTERN_TRY(const auto count, count_grants(tx, key));
        if (count >= k_grants_max) return fail(KeyError::ceiling_reached, "grants");
        const SealedBytes wrap(row.wrap);
        tx.execute(k_insert_grant, {key.workspace, key.integration, row.grant, stored(row.epoch),
                                    row.expires_at_ms, wrap});
        return {};
    });
}

Result<> SqlKeyringStore::destroy_grant(IntegrationKey key, GrantId grant) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        tx.execute(k_delete_grant, {key.workspace, key.integration, grant});
        return {};
    });
}

Result<GrantUse> SqlKeyringStore::use_grant(IntegrationKey key,
                                            const keys::GrantSeal& grant,
                                            UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<GrantUse> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_select_grant, {key.workspace, key.integration, grant.grant}));
        if (!row) return fail(KeyError::cannot_open);
        if (loaded(row->integer(0)) != grant.epoch) return fail(KeyError::stale_epoch);
        POSTERN_TRY(
            const auto share,
            tx.query_one(k_select_server_share, {key.workspace, key.integration, row->integer(0)}));
        if (!share) return fail(KeyError::stale_epoch);
        // A clock that was set back counts on in the hour it had reached.
        const auto hour = std::max(now / k_hour_ms, row->integer(1));
        const auto used = hour == row->integer(1) ? row->integer(2) : 0;
        if (used >= grant.hourly_ceiling) {
            const auto left_s = ((hour + 1) * k_hour_ms - now + 999) / 1000;
            return fail(Error(KeyError::ceiling_reached).with_retry_after(left_s));
        }
        tx.execute(k_update_grant, {key.workspace, key.integration, grant.grant, hour, used + 1});
        return GrantUse{row->sealed(3).take(), share->sealed(0).take()};
    });
}

Result<std::int64_t> SqlKeyringStore::destroy_expired_grants(UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<std::int64_t> {
        return tx.execute(k_delete_expired_grants, {now});
    });
}

}  // namespace

Result<std::unique_ptr<KeyringStore>> open_keyring_store(const KeyringStoreOptions& options) {
    Database::Options open;
    open.kind = store::StoreKind::keyring;
    open.file = options.file;
    open.create = options.create;
    open.server = options.server;
    open.readers = 1;
    POSTERN_TRY(auto db, Database::open(open));
    std::optional<store::Reserve> reserve;
    if (options.reserve_file) {
        reserve.emplace(store::Reserve::Options{.file = *options.reserve_file});
    }
    return std::make_unique<SqlKeyringStore>(std::move(db), std::move(reserve));
}

}  // namespace postern::vault
