#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/audit/audit_store.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::audit::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO audit_records (workspace_id, number, at_ms, action, facts, seal_row, details, "
    "segment, step, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr SqlText k_newest =
    "SELECT number, at_ms, action, facts, seal_row, details, segment, step, mac FROM audit_records "
    "WHERE workspace_id = $1 ORDER BY number DESC LIMIT 1";
constexpr SqlText k_before =
    "SELECT number, at_ms, action, facts, seal_row, details, segment, step, mac FROM audit_records "
    "WHERE workspace_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
constexpr SqlText k_after =
    "SELECT number, at_ms, action, facts, seal_row, details, segment, step, mac FROM audit_records "
    "WHERE workspace_id = $1 AND number > $2 ORDER BY number LIMIT $3";

constexpr SqlText k_mac_at =
    "SELECT mac FROM audit_records WHERE workspace_id = $1 AND number = $2";
constexpr SqlText k_load_base =
    "SELECT number, record_mac, at_ms, base_mac FROM audit_bases WHERE workspace_id = $1";
constexpr SqlText k_store_base =
    "INSERT INTO audit_bases (workspace_id, number, record_mac, at_ms, base_mac) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id) DO UPDATE SET "
    "number = excluded.number, record_mac = excluded.record_mac, at_ms = excluded.at_ms, "
    "base_mac = excluded.base_mac";
constexpr SqlText k_delete_until =
    "DELETE FROM audit_records WHERE workspace_id = $1 AND number <= $2";
constexpr SqlText k_kept_anchors =
    "SELECT workspace_id, number, record_mac, at_ms FROM audit_anchors "
    "ORDER BY workspace_id LIMIT 10000";
constexpr SqlText k_keep_anchor =
    "INSERT INTO audit_anchors (workspace_id, number, record_mac, at_ms) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (workspace_id) DO UPDATE SET number = excluded.number, "
    "record_mac = excluded.record_mac, at_ms = excluded.at_ms "
    "WHERE excluded.number > audit_anchors.number";
constexpr SqlText k_forget_anchors = "DELETE FROM audit_anchors";

constexpr SqlText k_chains =
    "SELECT DISTINCT workspace_id FROM audit_records ORDER BY workspace_id LIMIT 10000";

StoredRecord read(const Row& row) {
    StoredRecord out;
    out.number = row.integer(0);
    out.at_ms = row.integer(1);
    out.action = row.clear_text(2);
    out.facts = row.clear_text(3);
    out.seal_row = row.clear_bytes(4);
    out.details = row.maybe_sealed(5);
    out.segment = row.clear_bytes(6);
    out.step = row.integer(7);
    out.mac = row.clear_bytes(8);
    return out;
}

std::vector<StoredRecord> read_all(const std::vector<Row>& rows) {
    std::vector<StoredRecord> out;
    out.reserve(rows.size());
    for (const auto& row : rows)
        out.push_back(read(row));
    return out;
}

}  // namespace

Result<std::vector<WorkspaceId>> chains(Transaction& tx) {
    POSTERN_TRY(const auto rows, tx.query(k_chains));
    std::vector<WorkspaceId> out;
    for (const auto& row : rows)
        out.push_back(row.id<WorkspaceTag>(0));
    return out;
}

Result<std::optional<StoredRecord>> newest(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto row, tx.query_one(k_newest, {workspace}));
    if (!row) return std::optional<StoredRecord>();
    return std::optional<StoredRecord>(read(*row));
}

Result<> insert(Transaction& tx, WorkspaceId workspace, const StoredRecord& record) {
    return done(tx.execute(
        k_insert, {workspace, record.number, record.at_ms, Clear::text(record.action),
                   Clear::text(record.facts), Clear::bytes(record.seal_row), record.details,
                   Clear::bytes(record.segment), record.step, Clear::bytes(record.mac)}));
}

Result<std::vector<StoredRecord>> before(Transaction& tx,
                                         WorkspaceId workspace,
                                         std::int64_t number,
                                         std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(k_before, {workspace, number, limit}));
    return read_all(rows);
}

Result<std::vector<StoredRecord>> after(Transaction& tx,
                                        WorkspaceId workspace,
                                        std::int64_t number,
                                        std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(k_after, {workspace, number, limit}));
    return read_all(rows);
}

Result<std::optional<Bytes>> mac_at(Transaction& tx, WorkspaceId workspace, std::int64_t number) {
    POSTERN_TRY(const auto row, tx.query_one(k_mac_at, {workspace, number}));
    if (!row) return std::optional<Bytes>();
    return std::optional<Bytes>(row->clear_bytes(0));
}

Result<std::optional<Base>> load_base(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_base, {workspace}));
    if (!row) return std::optional<Base>();
    return std::optional<Base>(
        Base{row->integer(0), row->clear_bytes(1), row->integer(2), row->clear_bytes(3)});
}

Result<> begin_after(Transaction& tx, WorkspaceId workspace, const Base& base) {
    auto stored =
        done(tx.execute(k_store_base, {workspace, base.number, Clear::bytes(base.record_mac),
                                       base.at_ms, Clear::bytes(base.mac)}));
    if (!stored) return stored;
    return done(tx.execute(k_delete_until, {workspace, base.number}));
}

Result<std::vector<Anchor>> kept_anchors(Transaction& tx) {
    POSTERN_TRY(const auto rows, tx.query(k_kept_anchors));
    std::vector<Anchor> out;
    for (const auto& row : rows) {
        out.push_back(
            {row.id<WorkspaceTag>(0), row.integer(1), row.clear_bytes(2), row.integer(3), {}});
    }
    return out;
}

Result<> keep_anchor(Transaction& tx, const Anchor& anchor) {
    return done(tx.execute(k_keep_anchor, {anchor.workspace, anchor.number,
                                           Clear::bytes(anchor.record_mac), anchor.at_ms}));
}

Result<> forget_anchors(Transaction& tx) {
    return done(tx.execute(k_forget_anchors));
}

}  // namespace postern::audit::rows
