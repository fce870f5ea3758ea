#include "features/identity/password_resets_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <optional>

namespace postern::identity::rows {

using store::Clear;
using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO password_resets (workspace_id, token_hash, person_id, ends_factors, "
    "expires_at_ms) VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_find =
    "SELECT person_id, ends_factors, expires_at_ms FROM password_resets WHERE workspace_id = $1 "
    "AND token_hash = $2 AND expires_at_ms > $3";
constexpr SqlText k_delete =
    "DELETE FROM password_resets WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_delete_of_people =
    "DELETE FROM password_resets WHERE workspace_id = $1 AND person_id IN (SELECT person_id FROM "
    "memberships WHERE workspace_id = $2)";
constexpr SqlText k_delete_old =
    "DELETE FROM password_resets WHERE workspace_id = $1 AND expires_at_ms <= $2";

}  // namespace

Result<> insert_reset(Transaction& tx, const ResetRow& row, UnixMs now_ms) {
    auto cleared = done(tx.execute(k_delete_old, {k_installation, now_ms}));
    if (cleared) cleared = delete_resets(tx, row.person);
    if (!cleared) return cleared;
    return done(tx.execute(k_insert, {k_installation, Clear::bytes(row.token_hash), row.person,
                                      row.ends_factors, row.expires_at_ms}));
}

Result<std::optional<ResetRow>> find_reset(Transaction& tx,
                                           const crypto::Hash& hash,
                                           UnixMs now_ms) {
    POSTERN_TRY(const auto row, tx.query_one(k_find, {k_installation, Clear::bytes(hash), now_ms}));
    if (!row) return std::optional<ResetRow>();
    return std::optional<ResetRow>(
        ResetRow{hash, row->id<PersonTag>(0), row->boolean(1), row->integer(2)});
}

Result<> delete_resets(Transaction& tx, PersonId person) {
    return done(tx.execute(k_delete, {k_installation, person}));
}

Result<> delete_resets_of_people(Transaction& tx, WorkspaceId workspace) {
    return done(tx.execute(k_delete_of_people, {k_installation, workspace}));
}

}  // namespace postern::identity::rows
