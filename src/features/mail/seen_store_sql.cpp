#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/private_threads/seen_sql.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <utility>

namespace postern::mail::rows {

using private_threads::k_seen;
using store::SqlText;
using store::Transaction;

namespace {

constexpr auto k_seen_thread = store::joined(
    "SELECT thread_id FROM threads t WHERE workspace_id = $1 AND thread_id = $3 AND ", k_seen);
constexpr auto k_seen_message = store::joined(
    "SELECT thread_id FROM messages t WHERE workspace_id = $1 AND message_id = $3 AND ", k_seen);
constexpr auto k_seen_held = store::joined(
    "SELECT thread_id FROM held_mails t WHERE workspace_id = $1 AND message_id = $3 AND ", k_seen);
constexpr SqlText k_see_thread(k_seen_thread);
constexpr SqlText k_see_message(k_seen_message);
constexpr SqlText k_see_held(k_seen_held);

template <typename Tag>
Result<> check(Transaction& tx,
               SqlText sql,
               const Viewer& viewer,
               const Id<Tag>& id,
               MailServiceError not_there) {
    if (viewer.is_server()) return {};
    POSTERN_TRY(const auto row,
                tx.query_one(sql, {viewer.workspace(), viewer.person_or_nobody(), id}));
    if (!row) return fail(not_there);
    return {};
}

}  // namespace

Result<> see_thread(Transaction& tx, const Viewer& viewer, ThreadId id) {
    return check(tx, k_see_thread, viewer, id, MailServiceError::thread_not_found);
}

Result<ThreadRow> load_seen_thread(Transaction& tx, const Viewer& viewer, ThreadId id) {
    if (auto seen = see_thread(tx, viewer, id); !seen) return fail(std::move(seen.error()));
    POSTERN_TRY(auto thread, load_thread(tx, viewer.workspace(), id));
    POSTERN_TRY(thread.private_to, private_threads::rows::people_of(tx, viewer.workspace(), id));
    return thread;
}

Result<MessageRow> load_seen_message(Transaction& tx, const Viewer& viewer, MessageId id) {
    auto seen = check(tx, k_see_message, viewer, id, MailServiceError::message_not_found);
    if (!seen) return fail(std::move(seen.error()));
    return load_message(tx, viewer.workspace(), id);
}

Result<RawRow> load_seen_raw(Transaction& tx, const Viewer& viewer, MessageId id) {
    auto seen = check(tx, k_see_message, viewer, id, MailServiceError::message_not_found);
    if (!seen) return fail(std::move(seen.error()));
    return load_raw(tx, viewer.workspace(), id);
}

Result<HeldRow> load_seen_held(Transaction& tx, const Viewer& viewer, MessageId id) {
    auto seen = check(tx, k_see_held, viewer, id, MailServiceError::message_not_found);
    if (!seen) return fail(std::move(seen.error()));
    return load_held(tx, viewer.workspace(), id);
}

}  // namespace postern::mail::rows
