#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
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
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
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

constexpr SqlText k_load_meta = "SELECT value FROM meta WHERE workspace_id = $1 AND name = $2";
constexpr SqlText k_store_meta =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (workspace_id, name) DO UPDATE SET value = excluded.value";
constexpr SqlText k_delete_meta = "DELETE FROM meta WHERE workspace_id = $1 AND name = $2";
constexpr SqlText k_insert_workspace =
    "INSERT INTO workspaces (workspace_id, name, is_demo, created_at_ms, factors_from_ms) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_find_workspace =
    "SELECT workspace_id, name, is_demo, created_at_ms, factors_from_ms, access_reviewed_at_ms "
    "FROM workspaces WHERE workspace_id = $1";
constexpr SqlText k_list_workspaces =
    "SELECT workspace_id, name, is_demo, created_at_ms, factors_from_ms, access_reviewed_at_ms "
    "FROM workspaces ORDER BY workspace_id LIMIT $1";
constexpr SqlText k_set_factors_from =
    "UPDATE workspaces SET factors_from_ms = $2 WHERE workspace_id = $1";
constexpr SqlText k_must_have_factor =
    "SELECT 1 FROM memberships m JOIN workspaces w ON w.workspace_id = m.workspace_id WHERE "
    "m.person_id = $1 AND m.is_suspended = 0 AND w.factors_from_ms > 0 AND w.factors_from_ms <= $2 "
    "LIMIT 1";
constexpr SqlText k_insert_person =
    "INSERT INTO people (workspace_id, person_id, address_token, address, password, "
    "created_at_ms, managed_in) VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr SqlText k_find_person_by_address =
    "SELECT person_id, address_token, address, password, created_at_ms, signed_in_at_ms, "
    "managed_in FROM "
    "people "
    "WHERE workspace_id = $1 AND address_token = $2";
constexpr SqlText k_find_person =
    "SELECT person_id, address_token, address, password, created_at_ms, signed_in_at_ms, "
    "managed_in FROM "
    "people "
    "WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_replace_password =
    "UPDATE people SET password = $1 WHERE workspace_id = $2 AND person_id = $3 AND password = $4";
constexpr SqlText k_note_sign_in =
    "UPDATE people SET signed_in_at_ms = $3 WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_load_attempts =
    "SELECT failed, blocked_until_ms FROM sign_in_attempts WHERE workspace_id = $1 AND "
    "address_token = $2";
constexpr SqlText k_store_attempts =
    "INSERT INTO sign_in_attempts (workspace_id, address_token, failed, blocked_until_ms) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, address_token) DO UPDATE SET "
    "failed = excluded.failed, blocked_until_ms = excluded.blocked_until_ms";
constexpr SqlText k_delete_attempts =
    "DELETE FROM sign_in_attempts WHERE workspace_id = $1 AND address_token = $2";
constexpr SqlText k_delete_old_attempts =
    "DELETE FROM sign_in_attempts WHERE workspace_id = $1 AND blocked_until_ms < $2";

constexpr std::string_view k_setup_token = "setup_token";
constexpr std::string_view k_setup_done = "setup_done";
constexpr std::size_t k_time_bytes = 8;

WorkspaceRow read_workspace(const Row& row) {
    return {row.id<WorkspaceTag>(0), row.sealed(1),  row.boolean(2),
            row.integer(3),          row.integer(4), row.integer(5)};
}

PersonRow read_person(const Row& row) {
    return {row.id<PersonTag>(0),
            row.clear_bytes(1),
            row.sealed(2),
            row.sealed(3),
            row.integer(4),
            row.integer(5),
            row.maybe_id<WorkspaceTag>(6)};
}

std::optional<PersonRow> maybe_person(const std::optional<Row>& row) {
    if (!row) return std::nullopt;
    return read_person(*row);
}

}  // namespace

Result<bool> is_set_up(Transaction& tx) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_load_meta, {k_installation, Clear::text(k_setup_done)}));
    return row.has_value();
}

Result<> mark_set_up(Transaction& tx) {
    const Bytes yes{1};
    return done(
        tx.execute(k_store_meta, {k_installation, Clear::text(k_setup_done), Clear::bytes(yes)}));
}

Result<std::optional<SetupToken>> load_setup_token(Transaction& tx) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_load_meta, {k_installation, Clear::text(k_setup_token)}));
    if (!row) return std::nullopt;
    const auto bytes = row->clear_bytes(0);
    SetupToken token;
    if (bytes.size() != token.hash.size() + k_time_bytes) {
        return fail(StoreError::corrupt, "the set-up token's length");
    }
    std::copy_n(bytes.begin(), token.hash.size(), token.hash.begin());
    std::uint64_t time = 0;
    for (std::size_t i = 0; i < k_time_bytes; ++i)
        time = time << 8 | bytes[token.hash.size() + i];
    token.expires_at_ms = static_cast<UnixMs>(time);
    return token;
}

Result<> store_setup_token(Transaction& tx, const SetupToken& token) {
    Bytes bytes(token.hash.begin(), token.hash.end());
    const auto time = static_cast<std::uint64_t>(token.expires_at_ms);
    for (std::size_t i = 0; i < k_time_bytes; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(time >> (8 * (k_time_bytes - 1 - i))));
    }
    return done(tx.execute(k_store_meta,
                           {k_installation, Clear::text(k_setup_token), Clear::bytes(bytes)}));
}

Result<> delete_setup_token(Transaction& tx) {
    return done(tx.execute(k_delete_meta, {k_installation, Clear::text(k_setup_token)}));
}

Result<> insert_workspace(Transaction& tx, const WorkspaceRow& row) {
    return done(tx.execute(k_insert_workspace, {row.id, row.name, row.is_demo, row.created_at_ms,
                                                row.factors_from_ms}));
}

Result<std::optional<WorkspaceRow>> find_workspace(Transaction& tx, WorkspaceId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_workspace, {id}));
    if (!row) return std::nullopt;
    return read_workspace(*row);
}

Result<std::vector<WorkspaceRow>> list_workspaces(Transaction& tx) {
    POSTERN_TRY(const auto found, tx.query(k_list_workspaces, {k_identity_rows_max}));
    std::vector<WorkspaceRow> out;
    for (const auto& row : found)
        out.push_back(read_workspace(row));
    return out;
}

Result<> set_factors_from(Transaction& tx, WorkspaceId id, UnixMs from_ms) {
    return done(tx.execute(k_set_factors_from, {id, from_ms}));
}

Result<bool> must_have_factor(Transaction& tx, PersonId person, UnixMs now_ms) {
    POSTERN_TRY(const auto row, tx.query_one(k_must_have_factor, {person, now_ms}));
    return row.has_value();
}

Result<> insert_person(Transaction& tx, const PersonRow& row) {
    return done(tx.execute(k_insert_person,
                           {k_installation, row.id, Clear::bytes(row.address_token), row.address,
                            row.password, row.created_at_ms, row.managed_in}));
}

Result<std::optional<PersonRow>> find_person(Transaction& tx, const Bytes& address_token) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_person_by_address,
                                             {k_installation, Clear::bytes(address_token)}));
    return maybe_person(row);
}

Result<std::optional<PersonRow>> find_person(Transaction& tx, PersonId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_person, {k_installation, id}));
    return maybe_person(row);
}

Result<std::int64_t> replace_password(Transaction& tx, const NewPassword& change) {
    return tx.execute(k_replace_password, {change.is, k_installation, change.person, change.was});
}

Result<> note_sign_in(Transaction& tx, PersonId person, UnixMs now_ms) {
    return done(tx.execute(k_note_sign_in, {k_installation, person, now_ms}));
}

Result<Attempts> load_attempts(Transaction& tx, const Bytes& address_token) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_load_attempts, {k_installation, Clear::bytes(address_token)}));
    if (!row) return Attempts{};
    return Attempts{row->integer(0), row->integer(1)};
}

Result<> store_attempts(Transaction& tx, const Bytes& address_token, const Attempts& attempts) {
    return done(tx.execute(k_store_attempts, {k_installation, Clear::bytes(address_token),
                                              attempts.failed, attempts.blocked_until_ms}));
}

Result<> delete_attempts(Transaction& tx, const Bytes& address_token) {
    return done(tx.execute(k_delete_attempts, {k_installation, Clear::bytes(address_token)}));
}

Result<> delete_old_attempts(Transaction& tx, UnixMs before_ms) {
    return done(tx.execute(k_delete_old_attempts, {k_installation, before_ms}));
}

}  // namespace postern::identity::rows
