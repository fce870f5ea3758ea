#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/private_threads/seen_sql.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {

std::string_view name_of(MessageState state) {
    switch (state) {
        case MessageState::queued: return "queued";
        case MessageState::sending: return "sending";
        case MessageState::sent: return "sent";
        case MessageState::failed: return "failed";
        case MessageState::unknown: return "unknown";
        case MessageState::received: return "received";
    }
    return "unknown";
}

std::string_view name_of(AuthorKind kind) {
    switch (kind) {
        case AuthorKind::person: return "person";
        case AuthorKind::auto_reply: return "auto_reply";
        case AuthorKind::machine: return "machine";
    }
    return "person";
}

std::string_view name_of(BounceAction action) {
    return action == BounceAction::failed ? "failed" : "delayed";
}

namespace rows {

using private_threads::k_seen;
using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert_thread =
    "INSERT INTO threads (workspace_id, thread_id, integration_id, token, next_number, head, "
    "created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, 1, $5, $6, $6)";
constexpr SqlText k_insert_person =
    "INSERT INTO thread_people (workspace_id, thread_id, creator_id, head_wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_load_thread =
    "SELECT thread_id, integration_id, token, next_number, head, created_at_ms, updated_at_ms "
    "FROM threads WHERE workspace_id = $1 AND thread_id = $2";
constexpr SqlText k_find_thread =
    "SELECT thread_id, integration_id, token, next_number, head, created_at_ms, updated_at_ms "
    "FROM threads WHERE workspace_id = $1 AND token = $2";
// Thread ids begin with the time.
constexpr SqlText k_first_thread_at =
    "SELECT created_at_ms FROM threads WHERE workspace_id = $1 AND integration_id = $2 "
    "ORDER BY thread_id LIMIT 1";
// Of each list: $1 workspace, $2 viewer, $3 thread that it goes on below, $4 how many.
constexpr char k_listed[] =
    "SELECT t.thread_id, t.integration_id, t.token, t.next_number, t.head, t.created_at_ms, "
    "t.updated_at_ms FROM threads t ";
constexpr char k_with_creators[] =
    "JOIN thread_people p ON p.workspace_id = t.workspace_id AND p.thread_id = t.thread_id ";
constexpr char k_below[] = "WHERE t.workspace_id = $1 AND t.thread_id < $3 AND ";
constexpr char k_newest_first[] = " ORDER BY t.thread_id DESC LIMIT $4";
constexpr auto k_list_all = store::joined(k_listed, k_below, k_seen, k_newest_first);
constexpr auto k_list_of_integration =
    store::joined(k_listed, k_below, k_seen, " AND t.integration_id = $5", k_newest_first);
constexpr auto k_list_of_creator = store::joined(
    k_listed, k_with_creators, k_below, k_seen, " AND p.creator_id = $5", k_newest_first);
constexpr auto k_list_of_both = store::joined(k_listed,
                                              k_with_creators,
                                              k_below,
                                              k_seen,
                                              " AND p.creator_id = $5 AND t.integration_id = $6",
                                              k_newest_first);
constexpr SqlText k_list_threads(k_list_all);
constexpr SqlText k_list_by_integration(k_list_of_integration);
constexpr SqlText k_list_by_creator(k_list_of_creator);
constexpr SqlText k_list_by_both(k_list_of_both);
constexpr SqlText k_people =
    "SELECT creator_id, head_wrap FROM thread_people WHERE workspace_id = $1 AND thread_id = $2 "
    "ORDER BY creator_id";
constexpr SqlText k_take_number =
    "UPDATE threads SET next_number = next_number + 1 WHERE workspace_id = $1 AND thread_id = $2 "
    "RETURNING next_number - 1";
constexpr SqlText k_replace_head =
    "UPDATE threads SET head = $3 WHERE workspace_id = $1 AND thread_id = $2 AND head = $4";
constexpr SqlText k_delete_people =
    "DELETE FROM thread_people WHERE workspace_id = $1 AND thread_id = $2";
constexpr SqlText k_touch =
    "UPDATE threads SET updated_at_ms = $3 WHERE workspace_id = $1 AND thread_id = $2";

/// Above every id: a listing from the newest starts below it.
ThreadId last_id() {
    std::array<std::uint8_t, 16> bytes{};
    bytes.fill(0xff);
    return ThreadId(bytes);
}

Result<> insert_people(Transaction& tx,
                       WorkspaceId workspace,
                       ThreadId thread,
                       const SealedObject& head,
                       const std::vector<CreatorId>& people) {
    for (std::size_t i = 0; i < people.size() && i < head.wraps.size(); ++i) {
        auto added =
            done(tx.execute(k_insert_person, {workspace, thread, people[i], head.wraps[i]}));
        if (!added) return added;
    }
    return {};
}

Result<ThreadRow> read_thread(Transaction& tx, WorkspaceId workspace, const Row& row) {
    ThreadRow out;
    out.id = row.id<ThreadTag>(0);
    out.integration = row.id<IntegrationTag>(1);
    const auto token = row.clear_bytes(2);
    std::copy_n(token.begin(), std::min(token.size(), out.token.size()), out.token.begin());
    out.next_number = static_cast<std::uint32_t>(row.integer(3));
    out.head.content = row.sealed(4).take();
    out.created_at_ms = row.integer(5);
    out.updated_at_ms = row.integer(6);
    POSTERN_TRY(const auto people, tx.query(k_people, {workspace, out.id}));
    for (const auto& person : people) {
        out.head.wraps.emplace_back(person.id<CreatorTag>(0), person.sealed(1).take());
    }
    return out;
}

Result<std::vector<Row>> find_listed(Transaction& tx,
                                     const Viewer& viewer,
                                     const ListQuery& query) {
    const auto workspace = viewer.workspace();
    const auto person = viewer.person_or_nobody();
    const auto before = query.before.is_null() ? last_id() : query.before;
    const auto limit = query.limit;
    if (query.creator && query.integration) {
        return tx.query(k_list_by_both,
                        {workspace, person, before, limit, *query.creator, *query.integration});
    }
    if (query.creator) {
        return tx.query(k_list_by_creator, {workspace, person, before, limit, *query.creator});
    }
    if (query.integration) {
        return tx.query(k_list_by_integration,
                        {workspace, person, before, limit, *query.integration});
    }
    return tx.query(k_list_threads, {workspace, person, before, limit});
}

}  // namespace

Result<> insert_thread(Transaction& tx, const NewThread& thread, UnixMs now_ms) {
    auto added = done(
        tx.execute(k_insert_thread, {thread.workspace, thread.id, thread.integration,
                                     Clear::bytes(thread.token), thread.head.content, now_ms}));
    if (added && thread.private_to) {
        added = private_threads::rows::begin(tx, thread.workspace, thread.id, *thread.private_to,
                                             now_ms);
    }
    if (!added) return added;
    return insert_people(tx, thread.workspace, thread.id, thread.head, thread.people);
}

Result<ThreadRow> load_thread(Transaction& tx, WorkspaceId workspace, ThreadId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_thread, {workspace, id}));
    if (!row) return fail(MailServiceError::thread_not_found);
    return read_thread(tx, workspace, *row);
}

Result<std::optional<ThreadRow>> find_thread(Transaction& tx,
                                             WorkspaceId workspace,
                                             const std::array<std::uint8_t, 16>& token) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_thread, {workspace, Clear::bytes(token)}));
    if (!row) return std::optional<ThreadRow>{};
    POSTERN_TRY(auto thread, read_thread(tx, workspace, *row));
    return std::optional<ThreadRow>(std::move(thread));
}

Result<std::optional<UnixMs>> first_thread_at(Transaction& tx,
                                              WorkspaceId workspace,
                                              IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_first_thread_at, {workspace, integration}));
    if (!row) return std::optional<UnixMs>{};
    return std::optional<UnixMs>(row->integer(0));
}

Result<std::vector<ThreadRow>> list_threads(Transaction& tx,
                                            const Viewer& viewer,
                                            const ListQuery& query) {
    const auto workspace = viewer.workspace();
    POSTERN_TRY(const auto found, find_listed(tx, viewer, query));
    std::vector<ThreadRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto thread, read_thread(tx, workspace, row));
        POSTERN_TRY(thread.private_to, private_threads::rows::people_of(tx, workspace, thread.id));
        out.push_back(std::move(thread));
    }
    return out;
}

Result<std::uint32_t> take_number(Transaction& tx, WorkspaceId workspace, ThreadId thread) {
    POSTERN_TRY(const auto row, tx.query_one(k_take_number, {workspace, thread}));
    if (!row) return fail(MailServiceError::thread_not_found);
    return static_cast<std::uint32_t>(row->integer(0));
}

Result<> replace_head(Transaction& tx,
                      WorkspaceId workspace,
                      ThreadId thread,
                      const NewHead& head) {
    const store::SealedBytes before(head.before);
    POSTERN_TRY(const auto replaced,
                tx.execute(k_replace_head, {workspace, thread, head.head.content, before}));
    if (replaced == 0) return fail(MailServiceError::thread_changed);
    if (auto gone = done(tx.execute(k_delete_people, {workspace, thread})); !gone) return gone;
    return insert_people(tx, workspace, thread, head.head, head.people);
}

Result<> touch_thread(Transaction& tx, WorkspaceId workspace, ThreadId thread, UnixMs now_ms) {
    return done(tx.execute(k_touch, {workspace, thread, now_ms}));
}

}  // namespace rows
}  // namespace postern::mail
