#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::rows {

using store::Clear;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_put =
    "INSERT INTO bounces (workspace_id, message_id, creator_id, action, status, detail, "
    "detail_wrap, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (workspace_id, message_id, creator_id) DO UPDATE SET action = excluded.action, "
    "status = excluded.status, detail = excluded.detail, detail_wrap = excluded.detail_wrap, "
    "at_ms = excluded.at_ms WHERE bounces.action = 'delayed' AND (excluded.action = 'failed' OR "
    "excluded.status <> bounces.status)";
constexpr SqlText k_delete =
    "DELETE FROM bounces WHERE workspace_id = $1 AND creator_id = $3 AND message_id IN "
    "(SELECT message_id FROM messages WHERE workspace_id = $1 AND thread_id = $2)";
constexpr SqlText k_of_thread =
    "SELECT b.message_id, b.creator_id, b.action, b.status, b.detail, b.detail_wrap, b.at_ms "
    "FROM bounces b JOIN messages m ON m.workspace_id = b.workspace_id AND "
    "m.message_id = b.message_id WHERE b.workspace_id = $1 AND m.thread_id = $2 "
    "ORDER BY b.message_id, b.creator_id LIMIT 5000";
constexpr SqlText k_resolve =
    "UPDATE messages SET state = $3, failure_code = $4 WHERE workspace_id = $1 AND "
    "message_id = $2 AND state = 'unknown'";
constexpr SqlText k_copy =
    "UPDATE outbox SET stage = 'copy', attempts = 0, next_at_ms = $3, fence = fence + 1 "
    "WHERE workspace_id = $1 AND message_id = $2 AND stage = 'unknown'";
constexpr SqlText k_drop =
    "DELETE FROM outbox WHERE workspace_id = $1 AND message_id = $2 AND stage = 'unknown'";

}  // namespace

Result<bool> put_bounce(Transaction& tx,
                        WorkspaceId workspace,
                        const NewBounce& bounce,
                        UnixMs now_ms) {
    const auto& b = bounce;
    if (b.detail.wraps.empty()) return false;
    POSTERN_TRY(
        const auto changed,
        tx.execute(k_put, {workspace, b.message, b.creator, Clear::text(name_of(b.action)),
                           Clear::text(b.status), b.detail.content, b.detail.wraps[0], now_ms}));
    return changed == 1;
}

Result<> delete_bounces(Transaction& tx,
                        WorkspaceId workspace,
                        ThreadId thread,
                        CreatorId creator) {
    auto gone = tx.execute(k_delete, {workspace, thread, creator});
    if (!gone) return fail(std::move(gone.error()));
    return {};
}

Result<std::vector<BounceRow>> load_bounces(Transaction& tx,
                                            WorkspaceId workspace,
                                            ThreadId thread) {
    POSTERN_TRY(const auto found, tx.query(k_of_thread, {workspace, thread}));
    std::vector<BounceRow> out;
    for (const auto& row : found) {
        const bool failed = row.clear_text(2) == name_of(BounceAction::failed);
        out.push_back({row.id<MessageTag>(0), row.id<CreatorTag>(1),
                       failed ? BounceAction::failed : BounceAction::delayed,
                       std::string(row.clear_text(3)), row.sealed(4).take(), row.sealed(5).take(),
                       row.integer(6)});
    }
    return out;
}

Result<> resolve_unknown(Transaction& tx,
                         WorkspaceId workspace,
                         MessageId message,
                         MessageState state,
                         const std::string& failure_code,
                         UnixMs now_ms) {
    const std::optional<Clear> code =
        failure_code.empty() ? std::nullopt : std::optional<Clear>(Clear::text(failure_code));
    POSTERN_TRY(const auto changed,
                tx.execute(k_resolve, {workspace, message, Clear::text(name_of(state)), code}));
    if (changed == 0) return fail(MailServiceError::not_unknown);
    auto settled = state == MessageState::sent ? tx.execute(k_copy, {workspace, message, now_ms})
                                               : tx.execute(k_drop, {workspace, message});
    if (!settled) return fail(std::move(settled.error()));
    return {};
}

}  // namespace postern::mail::rows
