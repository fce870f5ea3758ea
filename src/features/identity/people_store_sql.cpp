#include "features/identity/attempts.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/people_store.h"
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
#include <utility>
#include <vector>

namespace postern::identity {

Result<bool> may(store::Transaction& tx,
                 WorkspaceId workspace,
                 PersonId person,
                 Permission permission) {
    POSTERN_TRY(const auto place, rows::find_membership(tx, workspace, person));
    return place && !place->is_suspended && allows(place->role, permission);
}

namespace rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::StoreError;
using store::Transaction;

namespace {

constexpr SqlText k_list_members =
    "SELECT m.workspace_id, m.person_id, m.role, m.created_at_ms, m.since_ms, m.is_suspended, "
    "p.address, p.signed_in_at_ms FROM memberships m JOIN people p ON p.workspace_id = $2 AND "
    "p.person_id = m.person_id WHERE m.workspace_id = $1 ORDER BY m.person_id LIMIT $3";
constexpr SqlText k_insert_membership =
    "INSERT INTO memberships (workspace_id, person_id, role, created_at_ms, since_ms, "
    "is_suspended) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_list_memberships =
    "SELECT workspace_id, person_id, role, created_at_ms, since_ms, is_suspended FROM memberships "
    "WHERE person_id = $1 ORDER BY workspace_id LIMIT $2";
constexpr SqlText k_find_membership =
    "SELECT workspace_id, person_id, role, created_at_ms, since_ms, is_suspended FROM memberships "
    "WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_update_membership =
    "UPDATE memberships SET role = $3, since_ms = $4, is_suspended = $5 WHERE workspace_id = $1 "
    "AND person_id = $2";
constexpr SqlText k_delete_membership =
    "DELETE FROM memberships WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_count_owners =
    "SELECT COUNT(*) FROM memberships WHERE workspace_id = $1 AND role = 'owner' AND "
    "is_suspended = 0";
constexpr SqlText k_count_members = "SELECT COUNT(*) FROM memberships WHERE workspace_id = $1";
constexpr SqlText k_insert_past =
    "INSERT INTO past_memberships (workspace_id, person_id, role, address, from_ms, to_ms) VALUES "
    "($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, person_id, from_ms) DO UPDATE SET role = "
    "excluded.role, address = excluded.address, to_ms = excluded.to_ms";
constexpr SqlText k_delete_old_past =
    "DELETE FROM past_memberships WHERE workspace_id = $1 AND to_ms < $2";
constexpr SqlText k_list_past =
    "SELECT workspace_id, person_id, role, address, from_ms, to_ms FROM past_memberships WHERE "
    "workspace_id = $1 AND to_ms > $2 ORDER BY to_ms DESC, person_id LIMIT $3";
constexpr SqlText k_insert_invitation =
    "INSERT INTO invitations (workspace_id, token_hash, invitation_id, to_workspace_id, "
    "address_token, address, role, invited_by, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, "
    "$4, $5, $6, $7, $8, $9, $10)";
constexpr SqlText k_delete_old_invitations =
    "DELETE FROM invitations WHERE workspace_id = $1 AND expires_at_ms <= $2";
constexpr SqlText k_find_invitation =
    "SELECT token_hash, invitation_id, to_workspace_id, address_token, address, role, invited_by, "
    "created_at_ms, expires_at_ms FROM invitations WHERE workspace_id = $1 AND token_hash = $2 AND "
    "expires_at_ms > $3";
constexpr SqlText k_list_invitations =
    "SELECT token_hash, invitation_id, to_workspace_id, address_token, address, role, invited_by, "
    "created_at_ms, expires_at_ms FROM invitations WHERE workspace_id = $1 AND to_workspace_id = "
    "$2 AND expires_at_ms > $3 ORDER BY invitation_id LIMIT $4";
constexpr SqlText k_delete_invitation =
    "DELETE FROM invitations WHERE workspace_id = $1 AND to_workspace_id = $2 AND invitation_id = "
    "$3";
constexpr SqlText k_delete_invitations_of_address =
    "DELETE FROM invitations WHERE workspace_id = $1 AND to_workspace_id = $2 AND address_token = "
    "$3";
constexpr SqlText k_delete_person = "DELETE FROM people WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_note_review =
    "UPDATE workspaces SET access_reviewed_at_ms = $2 WHERE workspace_id = $1";

Result<Role> role_at(const Row& row, std::size_t column) {
    const auto role = parse_role(row.clear_text(column));
    if (!role) return fail(StoreError::corrupt, "a role's name");
    return *role;
}

Result<Membership> read_membership(const Row& row) {
    POSTERN_TRY(const auto role, role_at(row, 2));
    return Membership{row.id<WorkspaceTag>(0), row.id<PersonTag>(1), role,
                      row.integer(3),          row.integer(4),       row.boolean(5)};
}

Result<InvitationRow> read_invitation(const Row& row) {
    InvitationRow out;
    const auto hash = row.clear_bytes(0);
    if (hash.size() != out.token_hash.size()) return fail(StoreError::corrupt, "a hash's length");
    std::ranges::copy(hash, out.token_hash.begin());
    out.id = row.id<InvitationTag>(1);
    out.workspace = row.id<WorkspaceTag>(2);
    out.address_token = row.clear_bytes(3);
    out.address = row.sealed(4);
    POSTERN_TRY(out.role, role_at(row, 5));
    out.invited_by = row.maybe_id<PersonTag>(6);
    out.created_at_ms = row.integer(7);
    out.expires_at_ms = row.integer(8);
    return out;
}

}  // namespace

Result<> insert_membership(Transaction& tx, const Membership& row) {
    return done(
        tx.execute(k_insert_membership, {row.workspace, row.person, Clear::text(name_of(row.role)),
                                         row.created_at_ms, row.since_ms, row.is_suspended}));
}

Result<std::vector<Membership>> list_memberships(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto found, tx.query(k_list_memberships, {person, k_identity_rows_max}));
    std::vector<Membership> out;
    for (const auto& row : found) {
        POSTERN_TRY(const auto membership, read_membership(row));
        out.push_back(membership);
    }
    return out;
}

Result<std::vector<MemberRow>> list_members(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto found,
                tx.query(k_list_members, {workspace, k_installation, k_identity_rows_max}));
    std::vector<MemberRow> out;
    for (const auto& row : found) {
        MemberRow member;
        POSTERN_TRY(member.membership, read_membership(row));
        member.address = row.sealed(6);
        member.signed_in_at_ms = row.integer(7);
        POSTERN_TRY(member.has_factor, has_factor(tx, member.membership.person));
        out.push_back(std::move(member));
    }
    return out;
}

Result<std::optional<Membership>> find_membership(Transaction& tx,
                                                  WorkspaceId workspace,
                                                  PersonId person) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_membership, {workspace, person}));
    if (!row) return std::optional<Membership>();
    POSTERN_TRY(const auto membership, read_membership(*row));
    return std::optional<Membership>(membership);
}

Result<> update_membership(Transaction& tx, const Membership& row) {
    return done(
        tx.execute(k_update_membership, {row.workspace, row.person, Clear::text(name_of(row.role)),
                                         row.since_ms, row.is_suspended}));
}

Result<> delete_membership(Transaction& tx, WorkspaceId workspace, PersonId person) {
    return done(tx.execute(k_delete_membership, {workspace, person}));
}

Result<std::int64_t> count_owners(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_owners, {workspace}));
    return row ? row->integer(0) : 0;
}

Result<std::int64_t> count_members(Transaction& tx, WorkspaceId workspace) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_members, {workspace}));
    return row ? row->integer(0) : 0;
}

Result<> insert_past_membership(Transaction& tx, const PastMembership& row) {
    const auto oldest = row.to_ms - k_past_memberships_s * 1000;
    if (auto deleted = done(tx.execute(k_delete_old_past, {row.workspace, oldest})); !deleted) {
        return deleted;
    }
    return done(
        tx.execute(k_insert_past, {row.workspace, row.person, Clear::text(name_of(row.role)),
                                   row.address, row.from_ms, row.to_ms}));
}

Result<std::vector<PastMembership>> list_past_memberships(Transaction& tx,
                                                          WorkspaceId workspace,
                                                          UnixMs since_ms) {
    POSTERN_TRY(const auto found,
                tx.query(k_list_past, {workspace, since_ms, k_identity_rows_max}));
    std::vector<PastMembership> out;
    for (const auto& row : found) {
        PastMembership past;
        past.workspace = row.id<WorkspaceTag>(0);
        past.person = row.id<PersonTag>(1);
        POSTERN_TRY(past.role, role_at(row, 2));
        past.address = row.sealed(3);
        past.from_ms = row.integer(4);
        past.to_ms = row.integer(5);
        out.push_back(std::move(past));
    }
    return out;
}

Result<> insert_invitation(Transaction& tx, const InvitationRow& row) {
    auto cleared = done(tx.execute(k_delete_old_invitations, {k_installation, row.created_at_ms}));
    if (!cleared) return cleared;
    return done(
        tx.execute(k_insert_invitation,
                   {k_installation, Clear::bytes(row.token_hash), row.id, row.workspace,
                    Clear::bytes(row.address_token), row.address, Clear::text(name_of(row.role)),
                    row.invited_by, row.created_at_ms, row.expires_at_ms}));
}

Result<std::optional<InvitationRow>> find_invitation(Transaction& tx,
                                                     const crypto::Hash& hash,
                                                     UnixMs now_ms) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_invitation, {k_installation, Clear::bytes(hash), now_ms}));
    if (!row) return std::optional<InvitationRow>();
    POSTERN_TRY(auto invitation, read_invitation(*row));
    return std::optional<InvitationRow>(std::move(invitation));
}

Result<std::vector<InvitationRow>> list_invitations(Transaction& tx,
                                                    WorkspaceId workspace,
                                                    UnixMs now_ms) {
    POSTERN_TRY(const auto found, tx.query(k_list_invitations, {k_installation, workspace, now_ms,
                                                                k_identity_rows_max}));
    std::vector<InvitationRow> out;
    for (const auto& row : found) {
        POSTERN_TRY(auto invitation, read_invitation(row));
        out.push_back(std::move(invitation));
    }
    return out;
}

Result<std::int64_t> delete_invitation(Transaction& tx, WorkspaceId workspace, InvitationId id) {
    return tx.execute(k_delete_invitation, {k_installation, workspace, id});
}

Result<> delete_invitations(Transaction& tx, WorkspaceId workspace, const Bytes& address_token) {
    return done(tx.execute(k_delete_invitations_of_address,
                           {k_installation, workspace, Clear::bytes(address_token)}));
}

Result<> delete_person(Transaction& tx, const PersonRow& person) {
    auto deleted = delete_sessions(tx, person.id);
    if (deleted) deleted = delete_factors(tx, person.id);
    if (deleted) deleted = replace_recovery_codes(tx, person.id, {});
    if (deleted) deleted = delete_resets(tx, person.id);
    if (deleted) deleted = delete_clients(tx, person.id);
    if (deleted) deleted = delete_attempts(tx, attempts_key(person.id));
    if (deleted) deleted = delete_attempts(tx, person.address_token);
    if (!deleted) return deleted;
    return done(tx.execute(k_delete_person, {k_installation, person.id}));
}

Result<> note_access_review(Transaction& tx, WorkspaceId workspace, UnixMs now_ms) {
    return done(tx.execute(k_note_review, {workspace, now_ms}));
}

}  // namespace rows
}  // namespace postern::identity
