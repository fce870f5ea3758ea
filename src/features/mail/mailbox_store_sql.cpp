#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/seen_sql.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::mail::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_cursors =
    "SELECT folder_mac, folder, uid_validity, next_uid FROM cursors WHERE workspace_id = $1 AND "
    "integration_id = $2 LIMIT 100";
constexpr SqlText k_put_cursor =
    "INSERT INTO cursors (workspace_id, integration_id, folder_mac, folder, uid_validity, "
    "next_uid) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, integration_id, "
    "folder_mac) DO UPDATE SET uid_validity = excluded.uid_validity, next_uid = excluded.next_uid";
constexpr SqlText k_append_ledger =
    "INSERT INTO read_ledger (workspace_id, integration_id, number, at_ms, command, folder_mac, "
    "first_uid, next_uid, bytes, reason) SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, "
    "$6, $7, $8, $9 FROM read_ledger WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_ledger =
    "SELECT number, at_ms, command, first_uid, next_uid, bytes, reason FROM read_ledger "
    "WHERE workspace_id = $1 AND integration_id = $2 AND ($3 = 0 OR number < $3) "
    "ORDER BY number DESC LIMIT $4";
constexpr SqlText k_insert_held =
    "INSERT INTO held_mails (workspace_id, message_id, thread_id, integration_id, origin_mac, "
    "reason, folder_mac, uid_validity, uid, sender, created_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
    "ON CONFLICT (workspace_id, thread_id, origin_mac) DO NOTHING";
// Of both lists: $1 workspace, $2 viewer, $3 mail that it goes on below, $4 how many.
constexpr auto k_list_seen = store::joined(
    "SELECT message_id, thread_id, integration_id, origin_mac, reason, folder_mac, uid_validity, "
    "uid, sender, created_at_ms, place, of_thread FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "
    "thread_id ORDER BY message_id DESC) AS place, COUNT(*) OVER (PARTITION BY thread_id) AS "
    "of_thread FROM held_mails t WHERE workspace_id = $1 AND ",
    private_threads::k_seen,
    ") AS placed WHERE message_id < $3 AND place <= $5 ORDER BY message_id DESC LIMIT $4");
constexpr auto k_list_seen_of_thread = store::joined(
    "SELECT message_id, thread_id, integration_id, origin_mac, reason, folder_mac, uid_validity, "
    "uid, sender, created_at_ms FROM held_mails t WHERE workspace_id = $1 AND message_id < $3 AND "
    "thread_id = $5 AND ",
    private_threads::k_seen,
    " ORDER BY message_id DESC LIMIT $4");
constexpr SqlText k_list_held(k_list_seen);
constexpr SqlText k_list_held_of_thread(k_list_seen_of_thread);
constexpr SqlText k_load_held =
    "SELECT message_id, thread_id, integration_id, origin_mac, reason, folder_mac, uid_validity, "
    "uid, sender, created_at_ms FROM held_mails WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_delete_held =
    "DELETE FROM held_mails WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_find_held =
    "SELECT message_id, thread_id, integration_id, origin_mac, reason, folder_mac, uid_validity, "
    "uid, sender, created_at_ms FROM held_mails WHERE workspace_id = $1 AND thread_id = $2 AND "
    "origin_mac = $3";
constexpr SqlText k_move_held =
    "UPDATE held_mails SET folder_mac = $3, uid_validity = $4, uid = $5, sender = $6 "
    "WHERE workspace_id = $1 AND message_id = $2";

/// So that strangers who write to one thread hide nobody else's mail.
constexpr std::int64_t k_listed_of_thread_max = 20;

/// Behind every id there is.
MessageId last_id() {
    std::array<std::uint8_t, 16> bytes{};
    bytes.fill(0xff);
    return MessageId(bytes);
}

std::uint32_t number(std::int64_t value) {
    return static_cast<std::uint32_t>(value);
}

HeldRow read_held(const Row& row) {
    HeldRow out;
    out.id = row.id<MessageTag>(0);
    out.thread = row.id<ThreadTag>(1);
    out.integration = row.id<IntegrationTag>(2);
    out.origin_mac = row.clear_bytes(3);
    out.reason = row.clear_text(4);
    out.folder_mac = row.clear_bytes(5);
    out.uid_validity = number(row.integer(6));
    out.uid = number(row.integer(7));
    out.sealed_sender = row.sealed(8).take();
    out.created_at_ms = row.integer(9);
    return out;
}

}  // namespace

Result<std::vector<CursorRow>> load_cursors(Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration) {
    POSTERN_TRY(const auto found, tx.query(k_cursors, {workspace, integration}));
    std::vector<CursorRow> out;
    for (const auto& row : found) {
        out.push_back({row.clear_bytes(0), row.sealed(1).take(), number(row.integer(2)),
                       number(row.integer(3))});
    }
    return out;
}

Result<> put_cursor(Transaction& tx,
                    WorkspaceId workspace,
                    IntegrationId integration,
                    const CursorRow& cursor) {
    const SealedBytes folder(cursor.sealed_folder);
    return done(tx.execute(k_put_cursor, {workspace, integration, Clear::bytes(cursor.folder_mac),
                                          folder, cursor.uid_validity, cursor.next_uid}));
}

Result<> append_ledger(Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       const LedgerEntry& entry,
                       UnixMs now_ms) {
    return done(tx.execute(
        k_append_ledger,
        {workspace, integration, now_ms, Clear::text(entry.command), Clear::bytes(entry.folder_mac),
         entry.first_uid, entry.next_uid, entry.bytes, Clear::text(entry.reason)}));
}

Result<std::vector<LedgerLine>> load_ledger(Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration,
                                            std::int64_t before,
                                            std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_ledger, {workspace, integration, before, limit}));
    std::vector<LedgerLine> out;
    for (const auto& row : found) {
        out.push_back({row.integer(0), row.integer(1), row.clear_text(2), row.integer(3),
                       row.integer(4), row.integer(5), row.clear_text(6)});
    }
    return out;
}

Result<bool> insert_held(Transaction& tx, WorkspaceId workspace, const HeldRow& held) {
    const SealedBytes sender(held.sealed_sender);
    POSTERN_TRY(const auto added,
                tx.execute(k_insert_held, {workspace, held.id, held.thread, held.integration,
                                           Clear::bytes(held.origin_mac), Clear::text(held.reason),
                                           Clear::bytes(held.folder_mac), held.uid_validity,
                                           held.uid, sender, held.created_at_ms}));
    return added == 1;
}

Result<std::vector<ListedHeld>> list_held(Transaction& tx,
                                          const Viewer& viewer,
                                          const HeldQuery& query) {
    const auto workspace = viewer.workspace();
    const auto person = viewer.person_or_nobody();
    const auto before = query.before.is_null() ? last_id() : query.before;
    std::vector<ListedHeld> out;
    if (query.thread) {
        POSTERN_TRY(const auto found,
                    tx.query(k_list_held_of_thread,
                             {workspace, person, before, query.limit, *query.thread}));
        for (const auto& row : found)
            out.push_back({read_held(row), false});
        return out;
    }
    POSTERN_TRY(const auto found, tx.query(k_list_held, {workspace, person, before, query.limit,
                                                         k_listed_of_thread_max}));
    for (const auto& row : found) {
        const bool is_last = row.integer(10) == k_listed_of_thread_max;
        out.push_back({read_held(row), is_last && row.integer(11) > k_listed_of_thread_max});
    }
    return out;
}

Result<HeldRow> load_held(Transaction& tx, WorkspaceId workspace, MessageId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_held, {workspace, id}));
    if (!row) return fail(MailServiceError::message_not_found);
    return read_held(*row);
}

Result<> delete_held(Transaction& tx, WorkspaceId workspace, MessageId id) {
    return done(tx.execute(k_delete_held, {workspace, id}));
}

Result<std::optional<HeldRow>> find_held(Transaction& tx,
                                         WorkspaceId workspace,
                                         ThreadId thread,
                                         const Bytes& origin_mac) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_held, {workspace, thread, Clear::bytes(origin_mac)}));
    if (!row) return std::optional<HeldRow>{};
    return std::optional<HeldRow>(read_held(*row));
}

Result<> move_held(Transaction& tx, WorkspaceId workspace, const HeldRow& held) {
    const SealedBytes sender(held.sealed_sender);
    return done(tx.execute(k_move_held, {workspace, held.id, Clear::bytes(held.folder_mac),
                                         held.uid_validity, held.uid, sender}));
}

}  // namespace postern::mail::rows
