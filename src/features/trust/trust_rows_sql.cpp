#include "features/trust/claim.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust::rows {

using store::Clear;
using store::SqlText;
using store::Transaction;
using store::Value;

namespace {

constexpr SqlText k_ended =
    "SELECT workspace_id, integration_id FROM integrations WHERE state = $1 "
    "ORDER BY integration_id DESC LIMIT $2";
constexpr SqlText k_seals_left =
    "SELECT COUNT(*) FROM seals s WHERE EXISTS (SELECT 1 FROM integrations i WHERE "
    "i.workspace_id = s.workspace_id AND i.integration_id = s.integration_id AND i.state = $1)";
constexpr SqlText k_grants_left =
    "SELECT COUNT(*) FROM grants g WHERE EXISTS (SELECT 1 FROM integrations i WHERE "
    "i.workspace_id = g.workspace_id AND i.integration_id = g.integration_id AND i.state = $1)";
constexpr SqlText k_stale_grants =
    "SELECT COUNT(*) FROM grants g WHERE NOT EXISTS (SELECT 1 FROM integrations i WHERE "
    "i.workspace_id = g.workspace_id AND i.integration_id = g.integration_id AND "
    "i.epoch = g.epoch)";
constexpr SqlText k_passwords =
    "SELECT person_id, password FROM people WHERE workspace_id = $1 ORDER BY person_id LIMIT $2";
constexpr SqlText k_addresses =
    "SELECT person_id, address FROM people WHERE workspace_id = $1 ORDER BY person_id LIMIT $2";
constexpr SqlText k_workspace_names =
    "SELECT workspace_id, name FROM workspaces ORDER BY workspace_id DESC LIMIT $1";
constexpr SqlText k_schema_text = "SELECT name, COALESCE(sql, '') FROM sqlite_schema";
constexpr SqlText k_session_hashes =
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN LENGTH(token_hash) = 32 THEN 0 ELSE 1 END), 0) "
    "FROM sessions";
constexpr SqlText k_token_hashes =
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN LENGTH(token_hash) = 32 THEN 0 ELSE 1 END), 0) "
    "FROM api_tokens";
constexpr SqlText k_stored_token = "SELECT token_hash FROM api_tokens WHERE token_id = $1";
constexpr SqlText k_plant_stored_token =
    "UPDATE api_tokens SET token_hash = $1 WHERE token_id = $2";
// What is not ours is somebody else's, however its row calls it.
constexpr SqlText k_received = "SELECT COUNT(*) FROM messages WHERE direction <> 'out'";
constexpr SqlText k_raw_of_none =
    "SELECT COUNT(*) FROM raw_mails r WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE "
    "m.workspace_id = r.workspace_id AND m.message_id = r.message_id)";
constexpr SqlText k_bodies_fetched =
    "SELECT COUNT(*) FROM read_ledger WHERE command = 'fetch_body' AND "
    "reason IN ('verified_reply', 'accepted_by_person')";
constexpr SqlText k_by_fields =
    "SELECT COUNT(*) FROM read_ledger WHERE command = 'fetch_thread_fields'";
constexpr SqlText k_without_thread =
    "SELECT COUNT(*) FROM messages m WHERE m.direction <> 'out' AND NOT EXISTS (SELECT 1 FROM "
    "messages o WHERE o.workspace_id = m.workspace_id AND o.thread_id = m.thread_id AND "
    "o.direction = 'out' AND o.number = 1)";
constexpr SqlText k_other_commands =
    "SELECT COUNT(*) FROM read_ledger WHERE NOT (command IN ('search', 'fetch_thread_fields', "
    "'probe', 'sign_in', 'look_in_sent') OR (command = 'fetch_body' AND "
    "reason IN ('verified_reply', 'accepted_by_person', 'bounce_of_ours')))";
/// Per integration: mails in its threads, and bodies that were fetched from it.
constexpr SqlText k_reading_differs =
    "SELECT COALESCE(SUM(CASE WHEN kept > fetched THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN kept < fetched THEN 1 ELSE 0 END), 0) FROM ("
    "SELECT (SELECT COUNT(*) FROM messages m, threads t WHERE t.workspace_id = i.workspace_id AND "
    "t.integration_id = i.integration_id AND m.workspace_id = t.workspace_id AND "
    "m.thread_id = t.thread_id AND m.direction <> 'out') AS kept, "
    "(SELECT COUNT(*) FROM read_ledger l WHERE l.workspace_id = i.workspace_id AND "
    "l.integration_id = i.integration_id AND l.command = 'fetch_body' AND "
    "l.reason IN ('verified_reply', 'accepted_by_person')) AS fetched "
    "FROM integrations i) AS each_integration";
constexpr SqlText k_threads = "SELECT COUNT(*) FROM threads";
constexpr SqlText k_messages = "SELECT COUNT(*) FROM messages";
constexpr SqlText k_numbers_missing =
    "SELECT COUNT(*) FROM threads t WHERE t.next_number - 1 <> (SELECT COUNT(*) FROM messages m "
    "WHERE m.workspace_id = t.workspace_id AND m.thread_id = t.thread_id AND "
    "m.direction = 'out')";
constexpr SqlText k_without_key =
    "SELECT COUNT(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM message_wraps w WHERE "
    "w.workspace_id = m.workspace_id AND w.message_id = m.message_id)";
constexpr SqlText k_without_raw =
    "SELECT COUNT(*) FROM messages m WHERE m.direction = 'out' AND NOT EXISTS (SELECT 1 FROM "
    "raw_mails r WHERE r.workspace_id = m.workspace_id AND r.message_id = m.message_id)";
constexpr SqlText k_lost_in_queue =
    "SELECT COUNT(*) FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE "
    "m.workspace_id = o.workspace_id AND m.message_id = o.message_id)";
constexpr SqlText k_newest_threads =
    "SELECT workspace_id, thread_id FROM threads ORDER BY updated_at_ms DESC LIMIT $1";
constexpr SqlText k_threads_of_ended =
    "SELECT t.workspace_id, t.thread_id FROM threads t WHERE EXISTS (SELECT 1 FROM integrations i "
    "WHERE i.workspace_id = t.workspace_id AND i.integration_id = t.integration_id AND "
    "i.state IN ('cut_off', 'deleted')) ORDER BY t.updated_at_ms DESC LIMIT $1";

constexpr SqlText k_plant_integration =
    "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, epoch, settings, "
    "search_label, broken_code, created_at_ms) VALUES ($1, $2, 'imap', 'replies', $3, 1, $4, "
    "'planted', NULL, 0)";
constexpr SqlText k_plant_grant =
    "INSERT INTO grants (workspace_id, grant_id, integration_id, epoch, verbs, hourly_ceiling, "
    "expires_at_ms, warned_days, credential, created_at_ms) "
    "VALUES ($1, $2, $3, 2, 1, 1, 0, 0, $4, 0)";
constexpr SqlText k_plant_person =
    "INSERT INTO people (workspace_id, person_id, address_token, address, password, "
    "created_at_ms) VALUES ($1, $2, $3, $4, $5, 0)";
constexpr SqlText k_plant_token =
    "INSERT INTO api_tokens (workspace_id, token_hash, token_id, bound_workspace_id, role, "
    "created_at_ms) VALUES ($1, $2, $3, $4, 'reader', 0)";
constexpr SqlText k_plant_thread =
    "INSERT INTO threads (workspace_id, thread_id, integration_id, token, next_number, head, "
    "created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, 3, $5, 0, 0)";
constexpr SqlText k_plant_message =
    "INSERT INTO messages (workspace_id, message_id, thread_id, number, direction, state, "
    "failure_code, origin_mac, body, created_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8, 0)";
constexpr SqlText k_plant_raw =
    "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_plant_queued =
    "INSERT INTO outbox (workspace_id, message_id, integration_id, stage, attempts, fence, "
    "next_at_ms) VALUES ($1, $2, $3, 'queued', 0, 0, 0)";
constexpr SqlText k_plant_read =
    "INSERT INTO read_ledger (workspace_id, integration_id, number, at_ms, command, folder_mac, "
    "first_uid, next_uid, bytes, reason) "
    "VALUES ($1, $2, 1, 0, 'fetch_body', $3, 1, 2, 3, 'verified_reply')";
constexpr SqlText k_plant_other_read =
    "INSERT INTO read_ledger (workspace_id, integration_id, number, at_ms, command, folder_mac, "
    "first_uid, next_uid, bytes, reason) "
    "VALUES ($1, $2, 2, 0, 'fetch_envelopes', $3, 1, 2, 3, 'new_mail')";
constexpr SqlText k_put_marker =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, 'trust_marker', $2) "
    "ON CONFLICT (workspace_id, name) DO UPDATE SET value = excluded.value";
constexpr SqlText k_take_marker =
    "DELETE FROM meta WHERE workspace_id = $1 AND name = 'trust_marker'";

template <typename T>
T fresh_id() {
    std::array<std::uint8_t, 16> bytes{};
    crypto::fill_random(bytes);
    return T(bytes);
}

store::SealedBytes noise() {
    return store::SealedBytes(crypto::random_bytes(64));
}

Result<std::int64_t> count(Transaction& tx, SqlText sql, std::initializer_list<Value> values = {}) {
    POSTERN_TRY(const auto row, tx.query_one(sql, values));
    return row ? row->integer(0) : 0;
}

Result<std::vector<ThreadRef>> threads(Transaction& tx, SqlText sql, std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(sql, {limit}));
    std::vector<ThreadRef> out;
    for (const auto& row : rows)
        out.push_back({row.id<WorkspaceTag>(0), row.id<ThreadTag>(1)});
    return out;
}

Result<std::vector<OfPerson>> of_people(Transaction& tx, SqlText sql, std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(sql, {k_installation, limit}));
    std::vector<OfPerson> out;
    for (const auto& row : rows)
        out.push_back({row.id<PersonTag>(0), row.sealed(1).take()});
    return out;
}

/// Each count of a struct by a statement of its own.
template <typename T>
struct Counted {
    SqlText sql;
    std::int64_t T::* field;
};
template <typename T>
Result<> count_all(Transaction& tx, T& into, std::initializer_list<Counted<T>> wanted) {
    for (const auto& each : wanted) {
        POSTERN_TRY(into.*each.field, count(tx, each.sql));
    }
    return {};
}

}  // namespace

Result<std::vector<Ended>> ended(Transaction& tx, std::string_view state, std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(k_ended, {Clear::text(state), limit}));
    std::vector<Ended> out;
    for (const auto& row : rows)
        out.push_back({row.id<WorkspaceTag>(0), row.id<IntegrationTag>(1)});
    return out;
}

Result<std::int64_t> access_left(Transaction& tx, std::string_view state) {
    POSTERN_TRY(const auto seals, count(tx, k_seals_left, {Clear::text(state)}));
    POSTERN_TRY(const auto grants, count(tx, k_grants_left, {Clear::text(state)}));
    return seals + grants;
}

Result<std::int64_t> stale_grants(Transaction& tx) {
    return count(tx, k_stale_grants);
}

Result<> plant_access_left(Transaction& tx, std::string_view state) {
    const auto workspace = fresh_id<WorkspaceId>();
    const auto integration = fresh_id<IntegrationId>();
    POSTERN_TRY(
        [[maybe_unused]] const auto made,
        tx.execute(k_plant_integration, {workspace, integration, Clear::text(state), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto left,
                tx.execute(k_plant_grant, {workspace, fresh_id<GrantId>(), integration, noise()}));
    return {};
}

Result<std::vector<OfPerson>> passwords(Transaction& tx, std::int64_t limit) {
    return of_people(tx, k_passwords, limit);
}

Result<std::vector<OfPerson>> addresses(Transaction& tx, std::int64_t limit) {
    return of_people(tx, k_addresses, limit);
}

Result<std::vector<OfWorkspace>> workspace_names(Transaction& tx, std::int64_t limit) {
    POSTERN_TRY(const auto rows, tx.query(k_workspace_names, {limit}));
    std::vector<OfWorkspace> out;
    for (const auto& row : rows)
        out.push_back({row.id<WorkspaceTag>(0), row.sealed(1).take()});
    return out;
}

Result<std::string> schema_text(Transaction& tx) {
    POSTERN_TRY(const auto rows, tx.query(k_schema_text));
    std::string out("SQLite format 3\n");
    for (const auto& row : rows)
        out.append(row.clear_text(0)).append("\n").append(row.clear_text(1)).append("\n");
    return out;
}

Result<TokenHashes> token_hashes(Transaction& tx) {
    TokenHashes out;
    for (const auto& sql : {k_session_hashes, k_token_hashes}) {
        POSTERN_TRY(const auto row, tx.query_one(sql));
        if (!row) continue;
        out.total += row->integer(0);
        out.malformed += row->integer(1);
    }
    return out;
}

Result<> plant_person(Transaction& tx, PersonId person, const Bytes& sealed_password) {
    POSTERN_TRY(
        [[maybe_unused]] const auto planted,
        tx.execute(k_plant_person, {k_installation, person, Clear::bytes(crypto::random_bytes(32)),
                                    noise(), store::SealedBytes(sealed_password)}));
    return {};
}

Result<> plant_token(Transaction& tx, ByteView clear_token) {
    POSTERN_TRY([[maybe_unused]] const auto planted,
                tx.execute(k_plant_token, {k_installation, Clear::bytes(clear_token),
                                           fresh_id<TokenId>(), fresh_id<WorkspaceId>()}));
    return {};
}

Result<Bytes> stored_token(Transaction& tx, TokenId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_stored_token, {id}));
    if (!row) return fail(TrustError::out_of_sight, "a token that was made is not there");
    return row->clear_bytes(0);
}

Result<> plant_stored_token(Transaction& tx, TokenId id, ByteView stored) {
    POSTERN_TRY([[maybe_unused]] const auto planted,
                tx.execute(k_plant_stored_token, {Clear::bytes(stored), id}));
    return {};
}

Result<Reading> reading(Transaction& tx) {
    Reading out;
    auto counted = count_all<Reading>(tx, out,
                                      {{k_received, &Reading::received},
                                       {k_bodies_fetched, &Reading::bodies_fetched},
                                       {k_by_fields, &Reading::by_fields},
                                       {k_without_thread, &Reading::without_thread},
                                       {k_raw_of_none, &Reading::raw_of_none},
                                       {k_other_commands, &Reading::other_commands}});
    if (!counted) return fail(std::move(counted.error()));
    POSTERN_TRY(const auto row, tx.query_one(k_reading_differs));
    if (row) {
        out.kept_unread = row->integer(0);
        out.read_unkept = row->integer(1);
    }
    return out;
}

Result<> plant_foreign_mail(Transaction& tx) {
    const auto workspace = fresh_id<WorkspaceId>();
    const auto integration = fresh_id<IntegrationId>();
    const auto thread = fresh_id<ThreadId>();
    POSTERN_TRY(
        [[maybe_unused]] const auto made,
        tx.execute(k_plant_integration, {workspace, integration, Clear::text("active"), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto begun,
                tx.execute(k_plant_thread, {workspace, thread, integration,
                                            Clear::bytes(crypto::random_bytes(16)), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto received,
                tx.execute(k_plant_message, {workspace, fresh_id<MessageId>(), thread, 0,
                                             Clear::text("in"), Clear::text("received"),
                                             Clear::bytes(crypto::random_bytes(32)), noise()}));
    POSTERN_TRY(
        [[maybe_unused]] const auto raw,
        tx.execute(k_plant_raw, {workspace, fresh_id<MessageId>(),
                                 Clear::bytes(crypto::random_bytes(16)), noise(), noise()}));
    const auto other = fresh_id<IntegrationId>();
    POSTERN_TRY(
        [[maybe_unused]] const auto beside,
        tx.execute(k_plant_integration, {workspace, other, Clear::text("active"), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto read,
                tx.execute(k_plant_read, {workspace, other, noise()}));
    POSTERN_TRY([[maybe_unused]] const auto looked,
                tx.execute(k_plant_other_read, {workspace, other, noise()}));
    return {};
}

Result<Completeness> completeness(Transaction& tx) {
    Completeness out;
    auto counted = count_all<Completeness>(tx, out,
                                           {{k_threads, &Completeness::threads},
                                            {k_messages, &Completeness::messages},
                                            {k_numbers_missing, &Completeness::numbers_missing},
                                            {k_without_key, &Completeness::without_key},
                                            {k_without_raw, &Completeness::without_raw},
                                            {k_lost_in_queue, &Completeness::lost_in_queue}});
    if (!counted) return fail(std::move(counted.error()));
    return out;
}

Result<> plant_gaps(Transaction& tx) {
    const auto workspace = fresh_id<WorkspaceId>();
    const auto integration = fresh_id<IntegrationId>();
    const auto thread = fresh_id<ThreadId>();
    POSTERN_TRY(
        [[maybe_unused]] const auto made,
        tx.execute(k_plant_integration, {workspace, integration, Clear::text("active"), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto begun,
                tx.execute(k_plant_thread, {workspace, thread, integration,
                                            Clear::bytes(crypto::random_bytes(16)), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto sent,
                tx.execute(k_plant_message,
                           {workspace, fresh_id<MessageId>(), thread, 2, Clear::text("out"),
                            Clear::text("sent"), Clear::bytes(crypto::random_bytes(32)), noise()}));
    POSTERN_TRY([[maybe_unused]] const auto queued,
                tx.execute(k_plant_queued, {workspace, fresh_id<MessageId>(), integration}));
    POSTERN_TRY([[maybe_unused]] const auto read,
                tx.execute(k_plant_read, {workspace, integration, noise()}));
    return {};
}

Result<std::vector<ThreadRef>> newest_threads(Transaction& tx, std::int64_t limit) {
    return threads(tx, k_newest_threads, limit);
}

Result<std::vector<ThreadRef>> threads_of_ended(Transaction& tx, std::int64_t limit) {
    return threads(tx, k_threads_of_ended, limit);
}

Result<> put_marker(Transaction& tx, ByteView value) {
    POSTERN_TRY([[maybe_unused]] const auto put,
                tx.execute(k_put_marker, {k_installation, Clear::bytes(value)}));
    return {};
}

Result<> take_marker(Transaction& tx) {
    POSTERN_TRY([[maybe_unused]] const auto taken, tx.execute(k_take_marker, {k_installation}));
    return {};
}

}  // namespace postern::trust::rows
