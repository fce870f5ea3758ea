#include "features/identity/identity_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::identity::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::StoreError;
using store::Transaction;

namespace {

constexpr SqlText k_insert_session =
    "INSERT INTO sessions (workspace_id, token_hash, person_id, created_at_ms, expires_at_ms, "
    "password_at_ms, factor_at_ms, session_id, client, seen_at_ms, provider_id, provider_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
constexpr SqlText k_find_session =
    "SELECT token_hash, person_id, created_at_ms, expires_at_ms, password_at_ms, factor_at_ms, "
    "session_id, client, seen_at_ms, provider_id, provider_at_ms FROM sessions WHERE workspace_id "
    "= $1 AND token_hash = $2";
constexpr SqlText k_list_sessions =
    "SELECT token_hash, person_id, created_at_ms, expires_at_ms, password_at_ms, factor_at_ms, "
    "session_id, client, seen_at_ms, provider_id, provider_at_ms FROM sessions WHERE workspace_id "
    "= $1 AND person_id = $2 "
    "ORDER BY session_id DESC LIMIT $3";
constexpr SqlText k_update_session =
    "UPDATE sessions SET expires_at_ms = $3, password_at_ms = $4, factor_at_ms = $5, "
    "provider_at_ms = $6 WHERE workspace_id = $1 AND token_hash = $2";
constexpr SqlText k_note_seen =
    "UPDATE sessions SET seen_at_ms = $3 WHERE workspace_id = $1 AND token_hash = $2";
constexpr SqlText k_delete_session =
    "DELETE FROM sessions WHERE workspace_id = $1 AND token_hash = $2";
constexpr SqlText k_delete_session_by_id =
    "DELETE FROM sessions WHERE workspace_id = $1 AND person_id = $2 AND session_id = $3";
constexpr SqlText k_delete_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_delete_other_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND person_id = $2 AND token_hash <> $3";
constexpr SqlText k_delete_peoples_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND token_hash <> $3 AND person_id IN (SELECT "
    "person_id FROM memberships WHERE workspace_id = $2)";
constexpr SqlText k_rotate_session =
    "UPDATE sessions SET token_hash = $1 WHERE workspace_id = $2 AND token_hash = $3";
constexpr SqlText k_delete_surplus =
    "DELETE FROM sessions WHERE workspace_id = $1 AND person_id = $2 AND session_id NOT IN (SELECT "
    "session_id FROM sessions WHERE workspace_id = $1 AND person_id = $2 ORDER BY session_id DESC "
    "LIMIT $3)";
constexpr SqlText k_delete_expired_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND expires_at_ms <= $2";

Result<SessionRow> read_session(const Row& row) {
    SessionRow out;
    const auto hash = row.clear_bytes(0);
    if (hash.size() != out.token_hash.size()) return fail(StoreError::corrupt, "a hash's length");
    std::ranges::copy(hash, out.token_hash.begin());
    out.person = row.id<PersonTag>(1);
    out.created_at_ms = row.integer(2);
    out.expires_at_ms = row.integer(3);
    out.password_at_ms = row.integer(4);
    out.factor_at_ms = row.integer(5);
    out.id = row.id<SessionTag>(6);
    out.client = row.sealed(7);
    out.seen_at_ms = row.integer(8);
    out.provider = row.maybe_id<ProviderTag>(9);
    out.provider_at_ms = row.integer(10);
    return out;
}

}  // namespace

Result<> insert_session(Transaction& tx, const SessionRow& row) {
    return done(
        tx.execute(k_insert_session,
                   {k_installation, Clear::bytes(row.token_hash), row.person, row.created_at_ms,
                    row.expires_at_ms, row.password_at_ms, row.factor_at_ms, row.id, row.client,
                    row.seen_at_ms, row.provider, row.provider_at_ms}));
}

Result<std::optional<SessionRow>> find_session(Transaction& tx, const crypto::Hash& hash) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_session, {k_installation, Clear::bytes(hash)}));
    if (!row) return std::optional<SessionRow>{};
    POSTERN_TRY(auto session, read_session(*row));
    return std::optional<SessionRow>(std::move(session));
}

Result<std::vector<SessionRow>> list_sessions(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto found,
                tx.query(k_list_sessions, {k_installation, person, k_sessions_max}));
    std::vector<SessionRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto session, read_session(row));
        out.push_back(std::move(session));
    }
    return out;
}

Result<bool> update_session(Transaction& tx, const SessionRow& row) {
    POSTERN_TRY(const auto changed,
                tx.execute(k_update_session,
                           {k_installation, Clear::bytes(row.token_hash), row.expires_at_ms,
                            row.password_at_ms, row.factor_at_ms, row.provider_at_ms}));
    return changed == 1;
}

Result<> note_session_seen(Transaction& tx, const crypto::Hash& hash, UnixMs now_ms) {
    return done(tx.execute(k_note_seen, {k_installation, Clear::bytes(hash), now_ms}));
}

Result<> delete_session(Transaction& tx, const crypto::Hash& hash) {
    return done(tx.execute(k_delete_session, {k_installation, Clear::bytes(hash)}));
}

Result<std::int64_t> delete_session(Transaction& tx, PersonId person, SessionId id) {
    return tx.execute(k_delete_session_by_id, {k_installation, person, id});
}

Result<> delete_sessions(Transaction& tx, PersonId person) {
    return done(tx.execute(k_delete_sessions, {k_installation, person}));
}

Result<> delete_peoples_sessions(Transaction& tx, WorkspaceId workspace, const crypto::Hash& kept) {
    return done(
        tx.execute(k_delete_peoples_sessions, {k_installation, workspace, Clear::bytes(kept)}));
}

Result<> delete_other_sessions(Transaction& tx, PersonId person, const crypto::Hash& kept) {
    return done(tx.execute(k_delete_other_sessions, {k_installation, person, Clear::bytes(kept)}));
}

Result<std::int64_t> rotate_session(Transaction& tx, const Rotation& rotation) {
    return tx.execute(k_rotate_session,
                      {Clear::bytes(rotation.to), k_installation, Clear::bytes(rotation.from)});
}

Result<> delete_surplus_sessions(Transaction& tx, PersonId person) {
    return done(tx.execute(k_delete_surplus, {k_installation, person, k_sessions_max - 1}));
}

Result<> delete_expired_sessions(Transaction& tx, UnixMs now_ms) {
    return done(tx.execute(k_delete_expired_sessions, {k_installation, now_ms}));
}

}  // namespace postern::identity::rows
