#pragma once

#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/database.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::identity {

struct InvitationTag {
    static constexpr std::string_view k_prefix = "inv_";
};
using InvitationId = Id<InvitationTag>;

/// Somebody of a workspace.
struct MemberRow {
    Membership membership;
    store::SealedBytes address;
    UnixMs signed_in_at_ms = 0;  ///< last; 0: never
    bool has_factor = false;
};
/// A time in which somebody could do something in a workspace, and that is over.
struct PastMembership {
    WorkspaceId workspace;
    PersonId person;
    Role role = Role::reader;
    store::SealedBytes address;  ///< under the workspace's settings key: it outlives the person's
    UnixMs from_ms = 0;
    UnixMs to_ms = 0;
};
struct InvitationRow {
    crypto::Hash token_hash{};
    InvitationId id;
    WorkspaceId workspace;  ///< the one it is to
    Bytes address_token;
    store::SealedBytes address;
    Role role = Role::reader;
    std::optional<PersonId> invited_by;
    UnixMs created_at_ms = 0;
    UnixMs expires_at_ms = 0;
};

/// Whether they work there, are not suspended, and their role allows it.
Result<bool> may(store::Transaction& tx,
                 WorkspaceId workspace,
                 PersonId person,
                 Permission permission);

/// How long it is told who had access.
inline constexpr std::int64_t k_past_memberships_s = 400LL * 24 * 3600;

/// Rows of who works where. Each function is part of the caller's transaction; its errors are those
/// of the store.
namespace rows {

Result<std::vector<MemberRow>> list_members(store::Transaction& tx, WorkspaceId workspace);
Result<std::optional<Membership>> find_membership(store::Transaction& tx,
                                                  WorkspaceId workspace,
                                                  PersonId person);
/// Role, suspension and since when.
Result<> update_membership(store::Transaction& tx, const Membership& row);
Result<> delete_membership(store::Transaction& tx, WorkspaceId workspace, PersonId person);
/// Owners who are not suspended.
Result<std::int64_t> count_owners(store::Transaction& tx, WorkspaceId workspace);
Result<std::int64_t> count_members(store::Transaction& tx, WorkspaceId workspace);

/// Older ones than k_past_memberships_s are deleted.
Result<> insert_past_membership(store::Transaction& tx, const PastMembership& row);
/// Those that ended after `since_ms`, newest end first.
Result<std::vector<PastMembership>> list_past_memberships(store::Transaction& tx,
                                                          WorkspaceId workspace,
                                                          UnixMs since_ms);

/// Those that are too old are deleted.
Result<> insert_invitation(store::Transaction& tx, const InvitationRow& row);
/// One that is not too old.
Result<std::optional<InvitationRow>> find_invitation(store::Transaction& tx,
                                                     const crypto::Hash& hash,
                                                     UnixMs now_ms);
Result<std::vector<InvitationRow>> list_invitations(store::Transaction& tx,
                                                    WorkspaceId workspace,
                                                    UnixMs now_ms);
/// The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_invitation(store::Transaction& tx,
                                       WorkspaceId workspace,
                                       InvitationId id);
/// Of this address to this workspace.
Result<> delete_invitations(store::Transaction& tx,
                            WorkspaceId workspace,
                            const Bytes& address_token);

/// The person with all that they sign in with: of somebody who works nowhere any more.
Result<> delete_person(store::Transaction& tx, const PersonRow& person);
Result<> note_access_review(store::Transaction& tx, WorkspaceId workspace, UnixMs now_ms);

}  // namespace rows
}  // namespace postern::identity
