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

}  // namespace postern::audit::rows
