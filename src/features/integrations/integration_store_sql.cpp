#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/records.h"
#include "platform/keys/seals.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::integrations::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, epoch, settings, "
    "search_label, broken_code, created_at_ms, last_used_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $9)";
constexpr SqlText k_insert_seal =
    "INSERT INTO seals (workspace_id, integration_id, epoch, seal) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (workspace_id, integration_id, epoch) DO UPDATE SET seal = excluded.seal";
constexpr SqlText k_insert_grant =
    "INSERT INTO grants (workspace_id, grant_id, integration_id, epoch, verbs, hourly_ceiling, "
    "expires_at_ms, warned_days, credential, created_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr SqlText k_load =
    "SELECT workspace_id, integration_id, kind, level, state, epoch, settings, search_label, "
    "broken_code, created_at_ms, last_used_at_ms FROM integrations "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_load_seal =
    "SELECT seal FROM seals WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_load_grants =
    "SELECT grant_id, epoch, verbs, hourly_ceiling, expires_at_ms, credential, created_at_ms, "
    "warned_days FROM grants WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 "
    "ORDER BY grant_id";
constexpr SqlText k_list =
    "SELECT workspace_id, integration_id, kind, level, state, epoch, settings, search_label, "
    "broken_code, created_at_ms, last_used_at_ms FROM integrations WHERE workspace_id = $1 AND "
    "integration_id > $2 AND state IN ('active', 'cut_off') ORDER BY integration_id LIMIT $3";
constexpr SqlText k_list_idle =
    "SELECT workspace_id, integration_id, kind, level, state, epoch, settings, search_label, "
    "broken_code, created_at_ms, last_used_at_ms FROM integrations WHERE workspace_id = $1 AND "
    "integration_id > $2 AND state = 'active' AND last_used_at_ms <= $3 "
    "ORDER BY integration_id LIMIT $4";
constexpr SqlText k_count_idle =
    "SELECT COUNT(*) FROM integrations WHERE state = 'active' AND last_used_at_ms <= $1";
constexpr SqlText k_set_used =
    "UPDATE integrations SET last_used_at_ms = $3 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND last_used_at_ms < $3";
constexpr SqlText k_insert_holder =
    "INSERT INTO holders (workspace_id, integration_id, holder_id, name, created_at_ms) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_list_holders =
    "SELECT holder_id, name, created_at_ms FROM holders "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_holder =
    "DELETE FROM holders WHERE workspace_id = $1 AND integration_id = $2 AND holder_id = $3";
constexpr SqlText k_delete_holders =
    "DELETE FROM holders WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_list_grants =
    "SELECT workspace_id, grant_id, integration_id, created_at_ms FROM grants "
    "WHERE workspace_id > $1 OR (workspace_id = $1 AND grant_id > $2) "
    "ORDER BY workspace_id, grant_id LIMIT $3";
constexpr SqlText k_delete_made_grant =
    "DELETE FROM grants WHERE workspace_id = $1 AND grant_id = $2 AND created_at_ms = $3";
constexpr SqlText k_list_active =
    "SELECT workspace_id, integration_id, kind, level, state, epoch, settings, search_label, "
    "broken_code, created_at_ms, last_used_at_ms FROM integrations WHERE state = 'active' LIMIT "
    "10000";
constexpr SqlText k_set_state =
    "UPDATE integrations SET state = $3 WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_set_broken =
    "UPDATE integrations SET broken_code = $3 WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_set_epoch =
    "UPDATE integrations SET epoch = $3 WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_set_settings =
    "UPDATE integrations SET settings = $3 WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_seal =
    "DELETE FROM seals WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_delete_other_seals =
    "DELETE FROM seals WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3";
constexpr SqlText k_delete_all_grants =
    "DELETE FROM grants WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_integration =
    "DELETE FROM integrations WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_grant =
    "DELETE FROM grants WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_set_warned =
    "UPDATE grants SET warned_days = $3 WHERE workspace_id = $1 AND grant_id = $2";
constexpr SqlText k_insert_operation =
    "INSERT INTO operations (workspace_id, receipt_id, integration_id, kind, epoch, "
    "requested_at_ms, done_by) VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr SqlText k_delete_operation =
    "DELETE FROM operations WHERE workspace_id = $1 AND receipt_id = $2";
constexpr SqlText k_delete_operations_of =
    "DELETE FROM operations WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_list_operations =
    "SELECT workspace_id, receipt_id, integration_id, kind, epoch, done_by FROM operations "
    "ORDER BY requested_at_ms LIMIT 10000";
constexpr SqlText k_has_operation =
    "SELECT receipt_id FROM operations WHERE workspace_id = $1 AND receipt_id = $2";
constexpr SqlText k_is_ending =
    "SELECT receipt_id FROM operations WHERE workspace_id = $1 AND integration_id = $2 AND "
    "kind IN ('cut_off', 'delete') LIMIT 1";
constexpr SqlText k_left_replacements =
    "SELECT workspace_id, receipt_id, integration_id, kind, epoch, done_by FROM operations "
    "WHERE workspace_id = $1 AND integration_id = $2 AND kind IN ('reseal', 'reconnect') "
    "ORDER BY requested_at_ms LIMIT 100";
constexpr SqlText k_left_connects =
    "SELECT workspace_id, receipt_id, integration_id, kind, epoch, done_by FROM operations "
    "WHERE workspace_id = $1 AND integration_id = $2 AND kind = 'connect' LIMIT 100";
constexpr SqlText k_insert_receipt =
    "INSERT INTO receipts (workspace_id, receipt_id, subject_id, state, at_ms, body) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_load_receipt =
    "SELECT body FROM receipts WHERE workspace_id = $1 AND receipt_id = $2";
constexpr SqlText k_append_ledger =
    "INSERT INTO ledger (workspace_id, number, entry, signature) SELECT $1, "
    "COALESCE(MAX(number), 0) + 1, $2, $3 FROM ledger WHERE workspace_id = $1";

std::string_view text_of(StoredState state) {
    switch (state) {
        case StoredState::connecting: return "connecting";
        case StoredState::active: return "active";
        case StoredState::cut_off: return "cut_off";
        case StoredState::deleted: return "deleted";
    }
    return "deleted";
}

StoredState state_of(std::string_view text) {
    if (text == "connecting") return StoredState::connecting;
    if (text == "active") return StoredState::active;
    return text == "cut_off" ? StoredState::cut_off : StoredState::deleted;
}

Integration read_integration(const Row& row) {
    Integration out;
    out.workspace = row.id<WorkspaceTag>(0);
    out.id = row.id<IntegrationTag>(1);
    out.kind = row.clear_text(2);
    out.level = row.clear_text(3);
    out.stored_state = state_of(row.clear_text(4));
    out.epoch = static_cast<std::uint64_t>(row.integer(5));
    out.sealed_settings = row.sealed(6).take();
    out.search_label = row.clear_text(7);
    out.broken_code = row.maybe_clear_text(8);
    out.created_at_ms = row.integer(9);
    out.last_used_at_ms = row.integer(10);
    return out;
}

Grant read_grant(const Row& row) {
    Grant grant;
    grant.seal.grant = row.id<GrantTag>(0);
    grant.seal.epoch = static_cast<std::uint64_t>(row.integer(1));
    grant.seal.verbs = static_cast<keys::Verbs>(row.integer(2));
    grant.seal.hourly_ceiling = static_cast<std::uint32_t>(row.integer(3));
    grant.seal.expires_at_ms = row.integer(4);
    grant.seal.credential = row.sealed(5).take();
    grant.created_at_ms = row.integer(6);
    grant.warned_days = row.integer(7);
    return grant;
}

/// The stored form of a seal: versioned like every record.
struct StoredSeal {
    static constexpr std::uint8_t k_version = 1;
    keys::Seal seal;
    auto wire() { return std::tie(seal); }
};

Result<> must_change(Result<std::int64_t> changed, IntegrationError otherwise) {
    if (!changed) return fail(std::move(changed.error()));
    if (*changed == 0) return fail(otherwise);
    return {};
}

std::int64_t number(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

Result<std::vector<Integration>> with_grants(Transaction& tx, const std::vector<Row>& found) {
    std::vector<Integration> out;
    for (const auto& row : found) {
        auto integration = read_integration(row);
        POSTERN_TRY(const auto grants,
                    tx.query(k_load_grants,
                             {integration.workspace, integration.id, number(integration.epoch)}));
        for (const auto& grant : grants)
            integration.grants.push_back(read_grant(grant));
        out.push_back(std::move(integration));
    }
    return out;
}

std::vector<Operation> operations_of(const std::vector<Row>& found) {
    std::vector<Operation> out;
    out.reserve(found.size());
    for (const auto& row : found) {
        out.push_back({row.id<WorkspaceTag>(0), row.id<ReceiptTag>(1), row.id<IntegrationTag>(2),
                       row.clear_text(3), static_cast<std::uint64_t>(row.integer(4)),
                       audit::parse_kind_and_id(row.clear_text(5))});
    }
    return out;
}

}  // namespace

Result<> insert_integration(Transaction& tx, const Integration& row) {
    return done(tx.execute(
        k_insert,
        {row.workspace, row.id, Clear::text(row.kind), Clear::text(row.level),
         Clear::text(text_of(row.stored_state)), number(row.epoch),
         SealedBytes(row.sealed_settings), Clear::text(row.search_label), row.created_at_ms}));
}

Result<> insert_seal(Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     keys::Seal seal) {
    const auto epoch = seal.epoch;
    const SealedBytes stored(keys::encode_record(StoredSeal{std::move(seal)}));
    return done(tx.execute(k_insert_seal, {workspace, integration, number(epoch), stored}));
}

Result<> insert_grant(Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const Grant& grant) {
    const SealedBytes credential(grant.seal.credential);
    return done(tx.execute(k_insert_grant,
                           {workspace, grant.seal.grant, integration, number(grant.seal.epoch),
                            grant.seal.verbs, grant.seal.hourly_ceiling, grant.seal.expires_at_ms,
                            grant.warned_days, credential, grant.created_at_ms}));
}

Result<Integration> load(Transaction& tx, WorkspaceId workspace, IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_load, {workspace, integration}));
    if (!row) return fail(IntegrationError::not_found);
    auto out = read_integration(*row);
    POSTERN_TRY(const auto seal,
                tx.query_one(k_load_seal, {workspace, integration, number(out.epoch)}));
    if (seal) {
        POSTERN_TRY(auto stored, keys::decode_record<StoredSeal>(seal->sealed_view(0)));
        out.seal = std::move(stored.seal);
    }
    POSTERN_TRY(const auto grants,
                tx.query(k_load_grants, {workspace, integration, number(out.epoch)}));
    for (const auto& grant : grants)
        out.grants.push_back(read_grant(grant));
    return out;
}

Result<std::vector<Integration>> list(Transaction& tx,
                                      WorkspaceId workspace,
                                      IntegrationId after,
                                      std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_list, {workspace, after, limit}));
    return with_grants(tx, found);
}

Result<std::vector<Integration>> list_idle(Transaction& tx,
                                           WorkspaceId workspace,
                                           IntegrationId after,
                                           UnixMs cutoff_ms,
                                           std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_list_idle, {workspace, after, cutoff_ms, limit}));
    return with_grants(tx, found);
}

Result<std::int64_t> count_idle(Transaction& tx, UnixMs cutoff_ms) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_idle, {cutoff_ms}));
    return row ? row->integer(0) : 0;
}

Result<> set_used(Transaction& tx,
                  WorkspaceId workspace,
                  IntegrationId integration,
                  UnixMs now_ms) {
    return done(tx.execute(k_set_used, {workspace, integration, now_ms}));
}

Result<> insert_holder(Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       const HolderRow& row) {
    const SealedBytes name(row.sealed_name);
    return done(
        tx.execute(k_insert_holder, {workspace, integration, row.holder, name, row.created_at_ms}));
}

Result<std::vector<HolderRow>> list_holders(Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration) {
    POSTERN_TRY(const auto found, tx.query(k_list_holders, {workspace, integration}));
    std::vector<HolderRow> out;
    for (const auto& row : found)
        out.push_back({row.id<HolderTag>(0), row.sealed(1).take(), row.integer(2)});
    return out;
}

Result<> delete_holder(Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       HolderId holder) {
    return done(tx.execute(k_delete_holder, {workspace, integration, holder}));
}

Result<std::vector<GrantRow>> list_grants(Transaction& tx,
                                          const GrantRow& after,
                                          std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_list_grants, {after.workspace, after.grant, limit}));
    std::vector<GrantRow> out;
    out.reserve(found.size());
    for (const auto& row : found) {
        out.push_back({row.id<WorkspaceTag>(0), row.id<GrantTag>(1), row.id<IntegrationTag>(2),
                       row.integer(3)});
    }
    return out;
}

Result<> delete_made_grant(Transaction& tx, const GrantRow& row) {
    return done(tx.execute(k_delete_made_grant, {row.workspace, row.grant, row.created_at_ms}));
}

Result<std::vector<Integration>> list_active(Transaction& tx) {
    POSTERN_TRY(const auto found, tx.query(k_list_active));
    return with_grants(tx, found);
}

Result<> set_state(Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   StoredState state) {
    return must_change(
        tx.execute(k_set_state, {workspace, integration, Clear::text(text_of(state))}),
        IntegrationError::not_found);
}

Result<> set_broken(Transaction& tx,
                    WorkspaceId workspace,
                    IntegrationId integration,
                    std::optional<std::string_view> code) {
    const std::optional<Clear> value =
        code ? std::optional<Clear>(Clear::text(*code)) : std::nullopt;
    return done(tx.execute(k_set_broken, {workspace, integration, value}));
}

Result<> set_epoch(Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   std::uint64_t epoch) {
    if (auto set = done(tx.execute(k_set_epoch, {workspace, integration, number(epoch)})); !set) {
        return set;
    }
    if (auto gone = done(tx.execute(k_delete_other_seals, {workspace, integration, number(epoch)}));
        !gone) {
        return gone;
    }
    return done(tx.execute(k_delete_all_grants, {workspace, integration}));
}

Result<> set_settings(Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const Bytes& sealed_settings) {
    const SealedBytes settings(sealed_settings);
    return done(tx.execute(k_set_settings, {workspace, integration, settings}));
}

Result<> delete_seal(Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     std::uint64_t epoch) {
    return done(tx.execute(k_delete_seal, {workspace, integration, number(epoch)}));
}

Result<> delete_seals_and_grants(Transaction& tx,
                                 WorkspaceId workspace,
                                 IntegrationId integration) {
    constexpr std::int64_t k_no_epoch = -1;
    if (auto gone = done(tx.execute(k_delete_other_seals, {workspace, integration, k_no_epoch}));
        !gone) {
        return gone;
    }
    if (auto gone = done(tx.execute(k_delete_holders, {workspace, integration})); !gone) {
        return gone;
    }
    return done(tx.execute(k_delete_all_grants, {workspace, integration}));
}

Result<> delete_integration(Transaction& tx, WorkspaceId workspace, IntegrationId integration) {
    if (auto gone = delete_seals_and_grants(tx, workspace, integration); !gone) return gone;
    return done(tx.execute(k_delete_integration, {workspace, integration}));
}

Result<> delete_grant(Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      GrantId grant) {
    return must_change(tx.execute(k_delete_grant, {workspace, integration, grant}),
                       IntegrationError::grant_not_found);
}

Result<> set_warned(Transaction& tx, WorkspaceId workspace, GrantId grant, std::int64_t days) {
    return done(tx.execute(k_set_warned, {workspace, grant, days}));
}

Result<> insert_operation(Transaction& tx, const Operation& operation, UnixMs now_ms) {
    return done(tx.execute(
        k_insert_operation,
        {operation.workspace, operation.receipt, operation.integration, Clear::text(operation.kind),
         number(operation.epoch), now_ms, Clear::text(audit::kind_and_id(operation.by))}));
}

Result<> delete_operation(Transaction& tx, WorkspaceId workspace, ReceiptId receipt) {
    return must_change(tx.execute(k_delete_operation, {workspace, receipt}),
                       IntegrationError::superseded);
}

Result<> delete_operations_of(Transaction& tx, WorkspaceId workspace, IntegrationId integration) {
    return done(tx.execute(k_delete_operations_of, {workspace, integration}));
}

Result<std::vector<Operation>> list_operations(Transaction& tx) {
    POSTERN_TRY(const auto found, tx.query(k_list_operations));
    return operations_of(found);
}

Result<std::vector<Operation>> left_replacements(Transaction& tx,
                                                 WorkspaceId workspace,
                                                 IntegrationId integration) {
    POSTERN_TRY(const auto found, tx.query(k_left_replacements, {workspace, integration}));
    return operations_of(found);
}

Result<std::vector<Operation>> left_connects(Transaction& tx,
                                             WorkspaceId workspace,
                                             IntegrationId integration) {
    POSTERN_TRY(const auto found, tx.query(k_left_connects, {workspace, integration}));
    return operations_of(found);
}

Result<bool> has_operation(Transaction& tx, WorkspaceId workspace, ReceiptId receipt) {
    POSTERN_TRY(const auto row, tx.query_one(k_has_operation, {workspace, receipt}));
    return row.has_value();
}

Result<bool> is_ending(Transaction& tx, WorkspaceId workspace, IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_is_ending, {workspace, integration}));
    return row.has_value();
}

Result<> insert_receipt(Transaction& tx,
                        WorkspaceId workspace,
                        const Receipt& receipt,
                        IntegrationId subject,
                        const Bytes& sealed_body) {
    const SealedBytes body(sealed_body);
    return done(tx.execute(k_insert_receipt, {workspace, receipt.id, subject,
                                              Clear::text(receipt.state), receipt.at_ms, body}));
}

Result<Bytes> load_receipt(Transaction& tx, WorkspaceId workspace, ReceiptId receipt) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_receipt, {workspace, receipt}));
    if (!row) return fail(IntegrationError::not_found);
    return row->sealed(0).take();
}

Result<> append_ledger(Transaction& tx, WorkspaceId workspace, const LedgerEntry& entry) {
    return done(tx.execute(k_append_ledger, {workspace, Clear::bytes(as_bytes(entry.text)),
                                             Clear::bytes(entry.signature)}));
}

}  // namespace postern::integrations::rows
