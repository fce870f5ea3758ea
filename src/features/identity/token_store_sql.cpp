#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/net/ip_address.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
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

constexpr SqlText k_insert_token =
    "INSERT INTO api_tokens (workspace_id, token_hash, token_id, bound_workspace_id, role, "
    "created_at_ms, name, scopes, networks, expires_at_ms, used_at_ms, made_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
constexpr SqlText k_find_token =
    "SELECT token_hash, token_id, bound_workspace_id, role, created_at_ms, name, scopes, networks, "
    "expires_at_ms, used_at_ms, made_by FROM api_tokens WHERE workspace_id = $1 AND token_hash = "
    "$2";
constexpr SqlText k_list_tokens =
    "SELECT token_hash, token_id, bound_workspace_id, role, created_at_ms, name, scopes, networks, "
    "expires_at_ms, used_at_ms, made_by FROM api_tokens WHERE workspace_id = $1 AND "
    "bound_workspace_id = $2 ORDER BY token_id LIMIT $3";
constexpr SqlText k_note_used =
    "UPDATE api_tokens SET used_at_ms = $3 WHERE workspace_id = $1 AND token_hash = $2";
constexpr SqlText k_delete_token =
    "DELETE FROM api_tokens WHERE workspace_id = $1 AND bound_workspace_id = $2 AND token_id = $3";

std::string text_of(const std::vector<net::Cidr>& networks) {
    std::string out;
    for (const auto& network : networks)
        out.append(out.empty() ? "" : " ").append(network.text());
    return out;
}

Result<std::vector<net::Cidr>> networks_of(std::string_view text) {
    std::vector<net::Cidr> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto network = net::Cidr::parse(text.substr(0, end));
        if (!network) return fail(StoreError::corrupt, "a token's networks");
        out.push_back(*network);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

Result<TokenRow> read_token(const Row& row) {
    TokenRow token;
    const auto hash = row.clear_bytes(0);
    if (hash.size() != token.token_hash.size()) return fail(StoreError::corrupt, "a hash's length");
    std::ranges::copy(hash, token.token_hash.begin());
    token.id = row.id<TokenTag>(1);
    token.workspace = row.id<WorkspaceTag>(2);
    const auto role = parse_role(row.clear_text(3));
    const auto scopes = Scopes::parse(row.clear_text(6));
    if (!role || !scopes) return fail(StoreError::corrupt, "a token's role or scopes");
    token.role = *role;
    token.scopes = *scopes;
    token.created_at_ms = row.integer(4);
    token.name = row.maybe_sealed(5);
    POSTERN_TRY(token.networks, networks_of(row.clear_text(7)));
    token.expires_at_ms = row.integer(8);
    token.used_at_ms = row.integer(9);
    token.made_by = row.maybe_id<PersonTag>(10);
    return token;
}

}  // namespace

Result<> insert_token(Transaction& tx, const TokenRow& row) {
    return done(tx.execute(k_insert_token,
                           {k_installation, Clear::bytes(row.token_hash), row.id, row.workspace,
                            Clear::text(name_of(row.role)), row.created_at_ms, row.name,
                            Clear::text(row.scopes.text()), Clear::text(text_of(row.networks)),
                            row.expires_at_ms, row.used_at_ms, row.made_by}));
}

Result<std::optional<TokenRow>> find_token(Transaction& tx, const crypto::Hash& hash) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_token, {k_installation, Clear::bytes(hash)}));
    if (!row) return std::optional<TokenRow>{};
    POSTERN_TRY(auto token, read_token(*row));
    return std::optional<TokenRow>(std::move(token));
}

Result<> note_token_used(Transaction& tx, const crypto::Hash& hash, UnixMs now_ms) {
    return done(tx.execute(k_note_used, {k_installation, Clear::bytes(hash), now_ms}));
}

Result<std::vector<TokenRow>> list_tokens(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto found,
                tx.query(k_list_tokens, {k_installation, workspace, k_identity_rows_max}));
    std::vector<TokenRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto token, read_token(row));
        out.push_back(std::move(token));
    }
    return out;
}

Result<std::int64_t> delete_token(Transaction& tx, WorkspaceId workspace, TokenId id) {
    return tx.execute(k_delete_token, {k_installation, workspace, id});
}

}  // namespace postern::identity::rows
