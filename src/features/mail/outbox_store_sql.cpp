#include "features/mail/mail_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO outbox (workspace_id, message_id, integration_id, stage, attempts, fence, "
    "next_at_ms) VALUES ($1, $2, $3, 'queued', 0, 0, $4)";
constexpr SqlText k_due =
    "SELECT workspace_id, message_id, integration_id, stage, attempts, fence FROM ("
    "SELECT workspace_id, message_id, integration_id, stage, attempts, fence, next_at_ms, "
    "ROW_NUMBER() OVER (PARTITION BY integration_id ORDER BY next_at_ms, message_id) AS place "
    "FROM outbox WHERE next_at_ms <= $1) AS due "
    "WHERE place <= $3 ORDER BY place, next_at_ms, message_id LIMIT $2 OFFSET $4";
constexpr SqlText k_next_due = "SELECT MIN(next_at_ms) FROM outbox";
constexpr SqlText k_move =
    "UPDATE outbox SET stage = $4, attempts = $5, next_at_ms = $6, fence = fence + $7 "
    "WHERE workspace_id = $1 AND message_id = $2 AND fence = $3";
constexpr SqlText k_delete = "DELETE FROM outbox WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_wake =
    "UPDATE outbox SET next_at_ms = $3 WHERE workspace_id = $1 AND integration_id = $2 AND "
    "next_at_ms > $3 AND stage IN ('queued', 'copy', 'unknown')";
constexpr SqlText k_requeue =
    "UPDATE outbox SET stage = 'queued', next_at_ms = $1, fence = fence + 1 "
    "WHERE stage = 'sending'";
constexpr SqlText k_requeue_messages =
    "UPDATE messages SET state = 'queued' WHERE state = 'sending' AND EXISTS (SELECT 1 FROM "
    "outbox o WHERE o.workspace_id = messages.workspace_id AND "
    "o.message_id = messages.message_id AND o.stage = 'queued')";
constexpr SqlText k_handed_over =
    "SELECT workspace_id, message_id, integration_id, stage, attempts, fence FROM outbox "
    "WHERE stage = 'handed_over'";
constexpr SqlText k_set_unknown =
    "UPDATE outbox SET stage = 'unknown', attempts = 0, next_at_ms = $1, fence = fence + 1 "
    "WHERE stage = 'handed_over'";

std::string_view text_of(Stage stage) {
    switch (stage) {
        case Stage::queued: return "queued";
        case Stage::sending: return "sending";
        case Stage::handed_over: return "handed_over";
        case Stage::copy: return "copy";
        case Stage::unknown: return "unknown";
    }
    return "unknown";
}

Stage stage_of(std::string_view text) {
    for (const auto stage : {Stage::queued, Stage::sending, Stage::handed_over, Stage::copy}) {
        if (text == text_of(stage)) return stage;
    }
    return Stage::unknown;
}

OutboxRow read_outbox(const Row& row) {
    return {row.id<WorkspaceTag>(0),     row.id<MessageTag>(1), row.id<IntegrationTag>(2),
            stage_of(row.clear_text(3)), row.integer(4),        row.integer(5)};
}

Result<std::vector<OutboxRow>> read_all(Result<std::vector<Row>> found) {
    if (!found) return fail(std::move(found.error()));
    std::vector<OutboxRow> out;
    for (const auto& row : *found)
        out.push_back(read_outbox(row));
    return out;
}

}  // namespace

Result<> insert_outbox(Transaction& tx,
                       WorkspaceId workspace,
                       MessageId message,
                       IntegrationId integration,
                       UnixMs now_ms) {
    return done(tx.execute(k_insert, {workspace, message, integration, now_ms}));
}

Result<std::vector<OutboxRow>> due_outbox(Transaction& tx, UnixMs now_ms, const DueLimits& limits) {
    return read_all(
        tx.query(k_due, {now_ms, limits.in_all, limits.of_one_integration, limits.passed_over}));
}

Result<std::optional<UnixMs>> next_due(Transaction& tx) {
    POSTERN_TRY(const auto row, tx.query_one(k_next_due));
    return row ? row->maybe_integer(0) : std::nullopt;
}

Result<bool> move_outbox(Transaction& tx, const OutboxMove& move) {
    POSTERN_TRY(const auto changed,
                tx.execute(k_move, {move.workspace, move.message, move.fence,
                                    Clear::text(text_of(move.stage)), move.attempts,
                                    move.next_at_ms, move.new_fence ? 1 : 0}));
    return changed == 1;
}

Result<> delete_outbox(Transaction& tx, WorkspaceId workspace, MessageId message) {
    return done(tx.execute(k_delete, {workspace, message}));
}

Result<> wake_outbox(Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     UnixMs now_ms) {
    return done(tx.execute(k_wake, {workspace, integration, now_ms}));
}

Result<std::vector<OutboxRow>> recover_outbox(Transaction& tx, UnixMs now_ms) {
    POSTERN_TRY(auto uncertain, read_all(tx.query(k_handed_over)));
    if (auto set = done(tx.execute(k_set_unknown, {now_ms})); !set) {
        return fail(std::move(set.error()));
    }
    if (auto again = done(tx.execute(k_requeue, {now_ms})); !again) {
        return fail(std::move(again.error()));
    }
    if (auto again = done(tx.execute(k_requeue_messages)); !again) {
        return fail(std::move(again.error()));
    }
    return uncertain;
}

}  // namespace postern::mail::rows
