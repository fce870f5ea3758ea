#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/own_mail/own_mail_store.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace postern::own_mail::rows {

using store::Clear;
using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO own_mails (workspace_id, mail_id, letter, created_at_ms, next_at_ms, attempts) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_due =
    "SELECT mail_id, letter, created_at_ms, next_at_ms, attempts FROM own_mails WHERE workspace_id "
    "= $1 AND next_at_ms <= $2 ORDER BY next_at_ms, mail_id LIMIT $3";
constexpr SqlText k_next_due =
    "SELECT next_at_ms FROM own_mails WHERE workspace_id = $1 ORDER BY next_at_ms LIMIT 1";
constexpr SqlText k_postpone =
    "UPDATE own_mails SET next_at_ms = $3, attempts = attempts + 1 WHERE workspace_id = $1 AND "
    "mail_id = $2";
constexpr SqlText k_remove = "DELETE FROM own_mails WHERE workspace_id = $1 AND mail_id = $2";
constexpr SqlText k_count = "SELECT COUNT(*) FROM own_mails WHERE workspace_id = $1";

}  // namespace

Result<> insert(Transaction& tx, const QueuedRow& row) {
    return done(tx.execute(k_insert, {k_installation, Clear::bytes(row.id), row.letter,
                                      row.created_at_ms, row.next_at_ms, row.attempts}));
}

Result<std::vector<QueuedRow>> due(Transaction& tx, UnixMs now_ms, std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_due, {k_installation, now_ms, limit}));
    std::vector<QueuedRow> out;
    for (const auto& row : found) {
        out.push_back(
            {row.clear_bytes(0), row.sealed(1), row.integer(2), row.integer(3), row.integer(4)});
    }
    return out;
}

Result<std::optional<UnixMs>> next_due(Transaction& tx) {
    POSTERN_TRY(const auto row, tx.query_one(k_next_due, {k_installation}));
    if (!row) return std::optional<UnixMs>();
    return std::optional<UnixMs>(row->integer(0));
}

Result<> postpone(Transaction& tx, const Bytes& id, UnixMs next_at_ms) {
    return done(tx.execute(k_postpone, {k_installation, Clear::bytes(id), next_at_ms}));
}

Result<> remove(Transaction& tx, const Bytes& id) {
    return done(tx.execute(k_remove, {k_installation, Clear::bytes(id)}));
}

Result<std::int64_t> count(Transaction& tx) {
    POSTERN_TRY(const auto row, tx.query_one(k_count, {k_installation}));
    return row ? row->integer(0) : 0;
}

}  // namespace postern::own_mail::rows
