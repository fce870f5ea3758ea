#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstddef>
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
    "INSERT INTO messages (workspace_id, message_id, thread_id, number, direction, state, "
    "failure_code, origin_mac, body, created_at_ms, author_kind) "
    "VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8, $9, $10) "
    "ON CONFLICT (workspace_id, thread_id, origin_mac) DO NOTHING";
constexpr SqlText k_insert_wrap =
    "INSERT INTO message_wraps (workspace_id, message_id, creator_id, body_wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_insert_raw =
    "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_load_all =
    "SELECT message_id, thread_id, number, direction, state, failure_code, body, created_at_ms, "
    "author_kind FROM messages WHERE workspace_id = $1 AND thread_id = $2 ORDER BY message_id DESC "
    "LIMIT 1000";
constexpr SqlText k_load_one =
    "SELECT message_id, thread_id, number, direction, state, failure_code, body, created_at_ms, "
    "author_kind FROM messages WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_find_ours =
    "SELECT message_id FROM messages WHERE workspace_id = $1 AND thread_id = $2 AND number = $3 "
    "AND direction = 'out'";
constexpr SqlText k_thread_wraps =
    "SELECT w.message_id, w.creator_id, w.body_wrap FROM messages m JOIN message_wraps w ON "
    "w.workspace_id = m.workspace_id AND w.message_id = m.message_id "
    "WHERE m.workspace_id = $1 AND m.thread_id = $2 AND (w.message_id, w.creator_id) > ($3, $4) "
    "ORDER BY w.message_id, w.creator_id LIMIT 5000";
constexpr SqlText k_wraps =
    "SELECT creator_id, body_wrap FROM message_wraps WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_find_origin =
    "SELECT message_id FROM messages WHERE workspace_id = $1 AND thread_id = $2 AND "
    "origin_mac = $3";
constexpr SqlText k_has_raw =
    "SELECT message_id FROM raw_mails WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_put_body =
    "UPDATE messages SET body = $3, author_kind = $4 WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_delete_wraps =
    "DELETE FROM message_wraps WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_load_raw =
    "SELECT people, raw, raw_wrap FROM raw_mails WHERE workspace_id = $1 AND message_id = $2";
constexpr SqlText k_set_state =
    "UPDATE messages SET state = $3, failure_code = $4 WHERE workspace_id = $1 AND "
    "message_id = $2";

constexpr std::size_t k_wraps_at_once = 5000;  // as in k_thread_wraps

MessageState state_of(std::string_view text) {
    for (const auto state : {MessageState::queued, MessageState::sending, MessageState::sent,
                             MessageState::failed, MessageState::received}) {
        if (text == name_of(state)) return state;
    }
    return MessageState::unknown;
}

AuthorKind author_kind_of(std::string_view text) {
    for (const auto kind : {AuthorKind::auto_reply, AuthorKind::machine}) {
        if (text == name_of(kind)) return kind;
    }
    return AuthorKind::person;
}

MessageRow read_message(const Row& row) {
    MessageRow out;
    out.id = row.id<MessageTag>(0);
    out.thread = row.id<ThreadTag>(1);
    out.number = static_cast<std::uint32_t>(row.integer(2));
    out.direction = row.clear_text(3) == "in" ? Direction::in : Direction::out;
    out.state = state_of(row.clear_text(4));
    out.failure_code = row.maybe_clear_text(5).value_or("");
    out.body.content = row.sealed(6).take();
    out.created_at_ms = row.integer(7);
    out.author_kind = author_kind_of(row.maybe_clear_text(8).value_or(""));
    return out;
}

std::optional<Clear> stored_kind(AuthorKind kind) {
    if (kind == AuthorKind::person) return std::nullopt;
    return Clear::text(name_of(kind));
}

Bytes join(const std::vector<CreatorId>& people) {
    Bytes out;
    for (const auto& id : people)
        out.insert(out.end(), id.raw().begin(), id.raw().end());
    return out;
}

/// Wraps and raw mail.
Result<> put_content(Transaction& tx, const NewMessage& m) {
    for (std::size_t i = 0; i < m.body_people.size() && i < m.body.wraps.size(); ++i) {
        auto wrapped =
            done(tx.execute(k_insert_wrap, {m.workspace, m.id, m.body_people[i], m.body.wraps[i]}));
        if (!wrapped) return wrapped;
    }
    if (m.raw && !m.raw->wraps.empty()) {
        const auto people = join(m.raw_people);
        auto stored = done(tx.execute(k_insert_raw, {m.workspace, m.id, Clear::bytes(people),
                                                     m.raw->content, m.raw->wraps[0]}));
        if (!stored) return stored;
    }
    return {};
}

}  // namespace

Result<bool> insert_message(Transaction& tx, const NewMessage& message, UnixMs now_ms) {
    const auto& m = message;
    const auto kind = stored_kind(m.author_kind);
    POSTERN_TRY(const auto added,
                tx.execute(k_insert, {m.workspace, m.id, m.thread, m.number,
                                      Clear::text(m.direction == Direction::in ? "in" : "out"),
                                      Clear::text(name_of(m.state)), Clear::bytes(m.origin_mac),
                                      m.body.content, now_ms, kind}));
    if (added == 0) return false;
    if (auto put = put_content(tx, m); !put) return fail(std::move(put.error()));
    return true;
}

Result<bool> fill_message(Transaction& tx, const NewMessage& message) {
    const auto& m = message;
    POSTERN_TRY(const auto raw, tx.query_one(k_has_raw, {m.workspace, m.id}));
    if (raw) return false;
    POSTERN_TRY(const auto changed, tx.execute(k_put_body, {m.workspace, m.id, m.body.content,
                                                            stored_kind(m.author_kind)}));
    if (changed == 0) return false;
    if (auto gone = done(tx.execute(k_delete_wraps, {m.workspace, m.id})); !gone) {
        return fail(std::move(gone.error()));
    }
    if (auto put = put_content(tx, m); !put) return fail(std::move(put.error()));
    return true;
}

Result<std::vector<MessageRow>> load_messages(Transaction& tx,
                                              WorkspaceId workspace,
                                              ThreadId thread) {
    POSTERN_TRY(const auto found, tx.query(k_load_all, {workspace, thread}));
    std::vector<MessageRow> out;
    for (const auto& row : found)
        out.push_back(read_message(row));
    std::ranges::reverse(out);
    if (out.empty()) return out;
    // Both answers are in the order of message ids.
    auto at = out.begin();
    auto message = out.front().id;
    CreatorId creator;
    while (true) {
        POSTERN_TRY(const auto wraps,
                    tx.query(k_thread_wraps, {workspace, thread, message, creator}));
        for (const auto& wrap : wraps) {
            message = wrap.id<MessageTag>(0);
            creator = wrap.id<CreatorTag>(1);
            at = std::find_if(at, out.end(), [&](const auto& row) { return row.id >= message; });
            if (at == out.end()) return out;
            if (at->id == message) at->body.wraps.emplace_back(creator, wrap.sealed(2).take());
        }
        if (wraps.size() < k_wraps_at_once) return out;
    }
}

Result<MessageRow> load_message(Transaction& tx, WorkspaceId workspace, MessageId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_one, {workspace, id}));
    if (!row) return fail(MailServiceError::message_not_found);
    auto out = read_message(*row);
    POSTERN_TRY(const auto wraps, tx.query(k_wraps, {workspace, id}));
    for (const auto& wrap : wraps) {
        out.body.wraps.emplace_back(wrap.id<CreatorTag>(0), wrap.sealed(1).take());
    }
    return out;
}

Result<std::optional<MessageRow>> find_ours(Transaction& tx,
                                            WorkspaceId workspace,
                                            ThreadId thread,
                                            std::uint32_t number) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_ours, {workspace, thread, number}));
    if (!row) return std::optional<MessageRow>{};
    POSTERN_TRY(auto message, load_message(tx, workspace, row->id<MessageTag>(0)));
    return std::optional<MessageRow>(std::move(message));
}

Result<std::optional<StoredOrigin>> find_origin(Transaction& tx,
                                                WorkspaceId workspace,
                                                ThreadId thread,
                                                const Bytes& origin_mac) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_origin, {workspace, thread, Clear::bytes(origin_mac)}));
    if (!row) return std::optional<StoredOrigin>{};
    const auto id = row->id<MessageTag>(0);
    POSTERN_TRY(const auto raw, tx.query_one(k_has_raw, {workspace, id}));
    POSTERN_TRY(auto message, load_message(tx, workspace, id));
    return std::optional<StoredOrigin>(StoredOrigin{std::move(message), raw.has_value()});
}

Result<RawRow> load_raw(Transaction& tx, WorkspaceId workspace, MessageId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_raw, {workspace, id}));
    if (!row) return fail(MailServiceError::message_not_found);
    RawRow out;
    const auto people = row->clear_bytes(0);
    for (std::size_t at = 0; at + 16 <= people.size(); at += 16) {
        if (const auto person = CreatorId::from_bytes(ByteView(people).subspan(at, 16))) {
            out.people.push_back(*person);
        }
    }
    out.content = row->sealed(1).take();
    out.wrap = row->sealed(2).take();
    return out;
}

Result<> set_message_state(Transaction& tx,
                           WorkspaceId workspace,
                           MessageId message,
                           MessageState state,
                           const std::string& failure_code) {
    const std::optional<Clear> code =
        failure_code.empty() ? std::nullopt : std::optional<Clear>(Clear::text(failure_code));
    return done(tx.execute(k_set_state, {workspace, message, Clear::text(name_of(state)), code}));
}

}  // namespace postern::mail::rows
