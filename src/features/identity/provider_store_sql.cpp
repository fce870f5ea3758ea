#include "features/identity/policy.h"
#include "features/identity/provider_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
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

std::string_view name_of(SignInPurpose purpose) {
    switch (purpose) {
        case SignInPurpose::sign_in: return "sign_in";
        case SignInPurpose::link: return "link";
        case SignInPurpose::proof: return "proof";
    }
    return "sign_in";
}

namespace rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::StoreError;
using store::Transaction;

namespace {

constexpr SqlText k_insert_provider =
    "INSERT INTO identity_providers (workspace_id, provider_id, settings, client, default_role, "
    "is_on) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_update_provider =
    "UPDATE identity_providers SET settings = $3, client = $4, default_role = $5, is_on = $6 "
    "WHERE workspace_id = $1 AND provider_id = $2";
constexpr SqlText k_find_provider =
    "SELECT workspace_id, provider_id, settings, client, default_role, is_on FROM "
    "identity_providers WHERE provider_id = $1";
constexpr SqlText k_list_providers =
    "SELECT workspace_id, provider_id, settings, client, default_role, is_on FROM "
    "identity_providers WHERE workspace_id = $1 ORDER BY provider_id LIMIT $2";
constexpr SqlText k_delete_provider =
    "DELETE FROM identity_providers WHERE workspace_id = $1 AND provider_id = $2";
constexpr SqlText k_delete_provider_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND provider_id = $2";
constexpr SqlText k_delete_link_sessions =
    "DELETE FROM sessions WHERE workspace_id = $1 AND person_id = $2 AND provider_id = $3 AND "
    "token_hash <> $4";
constexpr SqlText k_insert_link =
    "INSERT INTO provider_links (workspace_id, subject_token, link_id, person_id, provider_id) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_find_link =
    "SELECT workspace_id, subject_token, link_id, person_id, provider_id FROM provider_links "
    "WHERE workspace_id = $1 AND subject_token = $2";
constexpr SqlText k_list_links =
    "SELECT workspace_id, subject_token, link_id, person_id, provider_id FROM provider_links "
    "WHERE workspace_id = $1 AND person_id = $2 ORDER BY link_id LIMIT $3";
constexpr SqlText k_delete_links =
    "DELETE FROM provider_links WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_delete_link =
    "DELETE FROM provider_links WHERE workspace_id = $1 AND person_id = $2 AND link_id = $3";
constexpr SqlText k_count_sign_ins =
    "SELECT COUNT(*) FROM provider_sign_ins WHERE workspace_id = $1";
constexpr SqlText k_insert_sign_in =
    "INSERT INTO provider_sign_ins (workspace_id, state_hash, provider_id, purpose, session_hash, "
    "created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_find_sign_in =
    "SELECT state_hash, provider_id, purpose, session_hash, created_at_ms FROM provider_sign_ins "
    "WHERE workspace_id = $1 AND state_hash = $2";
constexpr SqlText k_delete_sign_in =
    "DELETE FROM provider_sign_ins WHERE workspace_id = $1 AND state_hash = $2";
constexpr SqlText k_delete_old_sign_ins =
    "DELETE FROM provider_sign_ins WHERE workspace_id = $1 AND created_at_ms < $2";

Result<ProviderRow> read_provider(const Row& row) {
    ProviderRow out;
    out.workspace = row.id<WorkspaceTag>(0);
    out.id = row.id<ProviderTag>(1);
    out.settings = row.sealed(2);
    out.client = row.sealed(3);
    const auto role = parse_role(row.clear_text(4));
    if (!role) return fail(StoreError::corrupt, "a role's name");
    out.default_role = *role;
    out.is_on = row.boolean(5);
    return out;
}

LinkRow read_link(const Row& row) {
    return {row.id<WorkspaceTag>(0), row.clear_bytes(1), row.id<LinkTag>(2), row.id<PersonTag>(3),
            row.id<ProviderTag>(4)};
}

Result<crypto::Hash> hash_of(const Bytes& bytes) {
    crypto::Hash hash{};
    if (bytes.size() != hash.size()) return fail(StoreError::corrupt, "a hash's length");
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

Result<ProviderSignInRow> read_sign_in(const Row& row) {
    ProviderSignInRow out;
    POSTERN_TRY(out.state_hash, hash_of(row.clear_bytes(0)));
    out.provider = row.id<ProviderTag>(1);
    const auto purpose = row.clear_text(2);
    if (purpose == name_of(SignInPurpose::link)) out.purpose = SignInPurpose::link;
    if (purpose == name_of(SignInPurpose::proof)) out.purpose = SignInPurpose::proof;
    if (const auto session = row.maybe_clear_bytes(3)) {
        POSTERN_TRY(const auto hash, hash_of(*session));
        out.session = hash;
    }
    out.created_at_ms = row.integer(4);
    return out;
}

/// Those that came of it.
Result<> delete_provider_sessions(Transaction& tx, ProviderId id) {
    return done(tx.execute(k_delete_provider_sessions, {k_installation, id}));
}

}  // namespace

Result<> insert_provider(Transaction& tx, const ProviderRow& row) {
    return done(tx.execute(k_insert_provider, {row.workspace, row.id, row.settings, row.client,
                                               Clear::text(name_of(row.default_role)), row.is_on}));
}

Result<bool> update_provider(Transaction& tx, const ProviderRow& row) {
    POSTERN_TRY(const auto changed,
                tx.execute(k_update_provider, {row.workspace, row.id, row.settings, row.client,
                                               Clear::text(name_of(row.default_role)), row.is_on}));
    if (changed == 1 && !row.is_on) {
        if (auto ended = delete_provider_sessions(tx, row.id); !ended) return fail(ended.error());
    }
    return changed == 1;
}

Result<std::optional<ProviderRow>> find_provider(Transaction& tx, ProviderId id) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_provider, {id}));
    if (!row) return std::optional<ProviderRow>{};
    POSTERN_TRY(auto provider, read_provider(*row));
    return std::optional<ProviderRow>(std::move(provider));
}

Result<std::vector<ProviderRow>> list_providers(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto found, tx.query(k_list_providers, {workspace, k_providers_max}));
    std::vector<ProviderRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto provider, read_provider(row));
        out.push_back(std::move(provider));
    }
    return out;
}

Result<std::int64_t> delete_provider(Transaction& tx, WorkspaceId workspace, ProviderId id) {
    POSTERN_TRY(const auto deleted, tx.execute(k_delete_provider, {workspace, id}));
    if (deleted == 1) {
        if (auto ended = delete_provider_sessions(tx, id); !ended) return fail(ended.error());
    }
    return deleted;
}

Result<> insert_link(Transaction& tx, const LinkRow& row) {
    return done(tx.execute(k_insert_link, {row.workspace, Clear::bytes(row.subject_token), row.id,
                                           row.person, row.provider}));
}

Result<std::optional<LinkRow>> find_link(Transaction& tx,
                                         WorkspaceId workspace,
                                         const Bytes& subject_token) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_link, {workspace, Clear::bytes(subject_token)}));
    if (!row) return std::optional<LinkRow>{};
    return std::optional<LinkRow>(read_link(*row));
}

Result<std::vector<LinkRow>> list_links(Transaction& tx, WorkspaceId workspace, PersonId person) {
    POSTERN_TRY(const auto found, tx.query(k_list_links, {workspace, person, k_identity_rows_max}));
    std::vector<LinkRow> out;
    for (const auto& row : found)
        out.push_back(read_link(row));
    return out;
}

Result<> delete_links(Transaction& tx, WorkspaceId workspace, PersonId person) {
    return done(tx.execute(k_delete_links, {workspace, person}));
}

Result<> delete_link_sessions(Transaction& tx, const LinkRow& link, const crypto::Hash& kept) {
    return done(tx.execute(k_delete_link_sessions, {k_installation, link.person, link.provider,
                                                    Clear::bytes(to_bytes(kept))}));
}

Result<std::int64_t> delete_link(Transaction& tx,
                                 WorkspaceId workspace,
                                 PersonId person,
                                 LinkId id) {
    return tx.execute(k_delete_link, {workspace, person, id});
}

Result<> insert_provider_sign_in(Transaction& tx, const ProviderSignInRow& row) {
    POSTERN_TRY(const auto count, tx.query_one(k_count_sign_ins, {k_installation}));
    if (count && count->integer(0) >= k_provider_sign_ins_max) {
        return fail(async::AsyncError::busy);
    }
    std::optional<Clear> session;
    if (row.session) session = Clear::bytes(*row.session);
    return done(tx.execute(k_insert_sign_in,
                           {k_installation, Clear::bytes(row.state_hash), row.provider,
                            Clear::text(name_of(row.purpose)), session, row.created_at_ms}));
}

Result<std::optional<ProviderSignInRow>> take_provider_sign_in(Transaction& tx,
                                                               const crypto::Hash& state_hash) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_sign_in, {k_installation, Clear::bytes(state_hash)}));
    if (!row) return std::optional<ProviderSignInRow>{};
    POSTERN_TRY(const auto sign_in, read_sign_in(*row));
    POSTERN_TRY(const auto deleted,
                tx.execute(k_delete_sign_in, {k_installation, Clear::bytes(state_hash)}));
    if (deleted == 0) return std::optional<ProviderSignInRow>{};
    return std::optional<ProviderSignInRow>(sign_in);
}

Result<> delete_old_provider_sign_ins(Transaction& tx, UnixMs before_ms) {
    return done(tx.execute(k_delete_old_sign_ins, {k_installation, before_ms}));
}

}  // namespace rows
}  // namespace postern::identity
