#include "features/identity/factor_store.h"
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
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity {

std::string_view name_of(FactorKind kind) {
    switch (kind) {
        case FactorKind::totp: return "totp";
        case FactorKind::passkey: return "passkey";
    }
    return "totp";
}

namespace rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::StoreError;
using store::Transaction;

namespace {

constexpr SqlText k_insert_factor =
    "INSERT INTO factors (workspace_id, factor_id, person_id, kind, name, secret, last_step, "
    "created_at_ms, confirmed_at_ms, used_at_ms, credential_hash, sign_count) VALUES ($1, $2, $3, "
    "$4, $5, $6, $7, $8, $9, $10, $11, $12)";
constexpr SqlText k_list_factors =
    "SELECT factor_id, person_id, kind, name, secret, last_step, created_at_ms, confirmed_at_ms, "
    "used_at_ms, credential_hash, sign_count FROM factors WHERE workspace_id = $1 AND "
    "person_id = $2 ORDER BY factor_id";
constexpr SqlText k_find_factor =
    "SELECT factor_id, person_id, kind, name, secret, last_step, created_at_ms, confirmed_at_ms, "
    "used_at_ms, credential_hash, sign_count FROM factors WHERE workspace_id = $1 AND "
    "person_id = $2 AND factor_id = $3";
constexpr SqlText k_find_credential =
    "SELECT factor_id, person_id, kind, name, secret, last_step, created_at_ms, confirmed_at_ms, "
    "used_at_ms, credential_hash, sign_count FROM factors WHERE workspace_id = $1 AND "
    "credential_hash = $2";
constexpr SqlText k_has_factor =
    "SELECT 1 FROM factors WHERE workspace_id = $1 AND person_id = $2 AND confirmed_at_ms > 0 "
    "LIMIT 1";
constexpr SqlText k_take_step =
    "UPDATE factors SET last_step = $3, used_at_ms = $4, confirmed_at_ms = CASE WHEN "
    "confirmed_at_ms = 0 THEN $4 ELSE confirmed_at_ms END WHERE workspace_id = $1 AND "
    "factor_id = $2 AND last_step < $3";
constexpr SqlText k_take_count =
    "UPDATE factors SET sign_count = $3, used_at_ms = $4 WHERE workspace_id = $1 AND "
    "factor_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))";
constexpr SqlText k_delete_factor =
    "DELETE FROM factors WHERE workspace_id = $1 AND person_id = $2 AND factor_id = $3";
constexpr SqlText k_delete_factors =
    "DELETE FROM factors WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_delete_unconfirmed =
    "DELETE FROM factors WHERE workspace_id = $1 AND person_id = $2 AND confirmed_at_ms = 0 AND "
    "created_at_ms < $3";
constexpr SqlText k_delete_codes =
    "DELETE FROM recovery_codes WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_insert_code =
    "INSERT INTO recovery_codes (workspace_id, person_id, code_hash) VALUES ($1, $2, $3)";
constexpr SqlText k_count_codes =
    "SELECT COUNT(*) FROM recovery_codes WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_take_code =
    "DELETE FROM recovery_codes WHERE workspace_id = $1 AND person_id = $2 AND code_hash = $3";

std::optional<FactorKind> parse_kind(std::string_view name) {
    for (const auto kind : {FactorKind::totp, FactorKind::passkey}) {
        if (name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

Result<FactorRow> read_factor(const Row& row) {
    const auto kind = parse_kind(row.clear_text(2));
    if (!kind) return fail(StoreError::corrupt, "a factor's kind");
    FactorRow out;
    out.kind = *kind;
    out.id = row.id<FactorTag>(0);
    out.person = row.id<PersonTag>(1);
    out.name = row.sealed(3);
    out.secret = row.sealed(4);
    out.last_step = row.integer(5);
    out.created_at_ms = row.integer(6);
    out.confirmed_at_ms = row.integer(7);
    out.used_at_ms = row.integer(8);
    if (const auto hash = row.maybe_clear_bytes(9)) {
        out.credential_hash.emplace();
        if (hash->size() != out.credential_hash->size())
            return fail(StoreError::corrupt, "a hash's length");
        std::ranges::copy(*hash, out.credential_hash->begin());
    }
    out.sign_count = static_cast<std::uint32_t>(row.integer(10));
    return out;
}

}  // namespace

Result<> insert_factor(Transaction& tx, const FactorRow& row) {
    std::optional<Clear> credential;
    if (row.credential_hash) credential = Clear::bytes(*row.credential_hash);
    return done(tx.execute(k_insert_factor,
                           {k_installation, row.id, row.person, Clear::text(name_of(row.kind)),
                            row.name, row.secret, row.last_step, row.created_at_ms,
                            row.confirmed_at_ms, row.used_at_ms, credential, row.sign_count}));
}

Result<std::vector<FactorRow>> list_factors(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto found, tx.query(k_list_factors, {k_installation, person}));
    std::vector<FactorRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto factor, read_factor(row));
        out.push_back(std::move(factor));
    }
    return out;
}

Result<std::optional<FactorRow>> find_factor(Transaction& tx, PersonId person, FactorId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_factor, {k_installation, person, id}));
    if (!row) return std::optional<FactorRow>{};
    POSTERN_TRY(auto factor, read_factor(*row));
    return std::optional<FactorRow>(std::move(factor));
}

Result<std::optional<FactorRow>> find_credential(Transaction& tx, const crypto::Hash& hash) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_credential, {k_installation, Clear::bytes(hash)}));
    if (!row) return std::optional<FactorRow>{};
    POSTERN_TRY(auto factor, read_factor(*row));
    return std::optional<FactorRow>(std::move(factor));
}

Result<bool> has_factor(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto row, tx.query_one(k_has_factor, {k_installation, person}));
    return row.has_value();
}

Result<bool> take_step(Transaction& tx, FactorId id, std::int64_t step, UnixMs now_ms) {
    POSTERN_TRY(const auto changed, tx.execute(k_take_step, {k_installation, id, step, now_ms}));
    return changed == 1;
}

Result<bool> take_count(Transaction& tx, FactorId id, std::uint32_t count, UnixMs now_ms) {
    POSTERN_TRY(const auto changed, tx.execute(k_take_count, {k_installation, id, count, now_ms}));
    return changed == 1;
}

Result<std::int64_t> delete_factor(Transaction& tx, PersonId person, FactorId id) {
    return tx.execute(k_delete_factor, {k_installation, person, id});
}

Result<> delete_factors(Transaction& tx, PersonId person) {
    return done(tx.execute(k_delete_factors, {k_installation, person}));
}

Result<> delete_unconfirmed_factors(Transaction& tx, PersonId person, UnixMs before_ms) {
    return done(tx.execute(k_delete_unconfirmed, {k_installation, person, before_ms}));
}

Result<> replace_recovery_codes(Transaction& tx,
                                PersonId person,
                                const std::vector<crypto::Hash>& codes) {
    auto replaced = done(tx.execute(k_delete_codes, {k_installation, person}));
    for (const auto& code : codes) {
        if (!replaced) return replaced;
        replaced = done(tx.execute(k_insert_code, {k_installation, person, Clear::bytes(code)}));
    }
    return replaced;
}

Result<std::int64_t> count_recovery_codes(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_codes, {k_installation, person}));
    return row ? row->integer(0) : 0;
}

Result<bool> take_recovery_code(Transaction& tx, PersonId person, const crypto::Hash& code) {
    POSTERN_TRY(const auto taken,
                tx.execute(k_take_code, {k_installation, person, Clear::bytes(code)}));
    return taken == 1;
}

}  // namespace rows
}  // namespace postern::identity
