#pragma once

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/people_store.h"
#include "features/identity/place_budget.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/own_mail/own_mail.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace postern::identity {

inline constexpr std::int64_t k_people_max = 1000;          ///< of a workspace
inline constexpr std::int64_t k_owned_workspaces_max = 20;  ///< of a person
/// Invitations that go by mail, in an hour: of one inviter, and to one address.
inline constexpr std::int64_t k_mailed_by_max = 60;
inline constexpr std::int64_t k_mailed_to_max = 3;
inline constexpr std::int64_t k_invitation_s = 7LL * 24 * 3600;
/// After so long it is time to look again who has access.
inline constexpr std::int64_t k_access_review_s = 92LL * 24 * 3600;

/// Somebody of a workspace, as its people see them.
struct Member {
    PersonId id;
    std::string email;
    Role role = Role::reader;
    bool is_suspended = false;
    UnixMs joined_at_ms = 0;
    UnixMs since_ms = 0;         ///< in this role, suspended or not
    UnixMs signed_in_at_ms = 0;  ///< last; 0: never
    bool has_factor = false;
};
struct Invitation {
    InvitationId id;
    std::string email;
    Role role = Role::reader;
    std::optional<PersonId> invited_by;
    UnixMs created_at_ms = 0;
    UnixMs expires_at_ms = 0;
    Secret link;  ///< of one that was made now and is for the inviter to pass on, else empty
};
/// What an invitation is to.
struct Offer {
    std::string workspace;
    std::string email;
    Role role = Role::reader;
};
struct Joined {
    WorkspaceId workspace;
    PersonId person;
    Role role = Role::reader;
};
/// Where a person works.
struct OwnPlace {
    Workspace workspace;
    Role role = Role::reader;
};
struct PastAccess {
    PersonId person;
    std::string email;
    Role role = Role::reader;
    UnixMs from_ms = 0;
    UnixMs to_ms = 0;
};
/// Who had access to what.
struct AccessReport {
    std::vector<Member> people;
    std::vector<PastAccess> past;
    std::vector<Invitation> invitations;
    UnixMs reviewed_at_ms = 0;  ///< 0: never
    UnixMs due_at_ms = 0;
};

/// Who works in a workspace: invitations, roles, suspending, leaving, and who could do what when.
///
/// What takes something from a person ends their sessions, and the tokens that they made and may no
/// longer have made, in the same transaction. A workspace always has an owner who can sign in. A
/// person who works nowhere any more is deleted, with all that they signed in with; a workspace's
/// own record of them stays for 400 days. Executor: front's thread. Lifetime: outlives every
/// coroutine that it started.
class People {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        audit::AuditLog& audit;
        own_mail::OwnMail& mail;
        Identity& identity;
    };
    explicit People(Parts parts) : parts_(parts) {}

    using See = Authorized<Permission::see_people>;
    using Manage = Authorized<Permission::manage_people>;
    using Join = Authorized<Permission::join_workspaces>;

    async::Task<std::vector<Member>> list(See who);
    struct Change {
        std::optional<Role> role;
        std::optional<bool> is_suspended;
    };
    /// Errors: person_not_found, last_owner, beyond_own_rights.
    async::Task<Member> change(Manage who, PersonId person, Change change);
    /// All of them, wherever they are signed in. Errors: person_not_found.
    async::Task<> end_sessions(Manage who, PersonId person);
    /// Everybody's, but for the one that asks.
    async::Task<> end_all_sessions(Manage who);
    /// Their place in the workspace. Errors: person_not_found, last_owner.
    async::Task<> end(Manage who, PersonId person);
    /// One's own. Errors: last_owner.
    async::Task<> leave(Authorized<Permission::leave_workspace> who);

    struct Wish {
        InvitationId id;
        std::string email;
        Role role = Role::reader;
        std::string page;               ///< "https://postern.example/invitation"
        std::optional<bool> is_mailed;  ///< nothing: where mail is sent
    };
    /// In the place of earlier ones to this address. Errors: invalid_email, already_member,
    /// too_many_people, no_mail, beyond_own_rights.
    async::Task<Invitation> invite(Manage who, Wish wish);
    async::Task<std::vector<Invitation>> invitations(See who);
    /// Errors: invitation_not_found.
    async::Task<> withdraw(Manage who, InvitationId id);
    /// Errors: invitation_invalid.
    async::Task<Offer> look_at(std::string token);
    /// Of somebody who signs in here already their password, else the one that they choose. It
    /// begins no session. Errors: invitation_invalid, already_member, too_many_people,
    /// invalid_credentials, too_many_attempts, AsyncError::busy, and those of check_new_password.
    async::Task<Joined> accept(std::string token, Secret password, std::string from);
    /// Of somebody who is signed in. Errors: invitation_invalid, other_address, already_member,
    /// too_many_people.
    async::Task<Joined> join(Join who, std::string token);

    /// Where the person is not suspended.
    async::Task<std::vector<OwnPlace>> places(PersonId person);
    /// With this person as its owner. Errors: invalid_workspace_name, too_many_workspaces.
    async::Task<Workspace> create_workspace(Join who, std::string name);

    /// Of those of them whom there still are.
    async::Task<std::map<PersonId, std::string>> addresses(std::vector<PersonId> people);

    /// `since_ms`: of past access, what ended after it.
    async::Task<AccessReport> access(Authorized<Permission::see_access> who, UnixMs since_ms);
    /// Everybody who is listed should be.
    async::Task<> confirm_access(Manage who);

private:
    async::Task<std::vector<Member>> members(WorkspaceId workspace);
    /// Of their address, for what the workspace keeps of them.
    async::Task<store::SealedBytes> kept_address(WorkspaceId workspace, PersonRow person);
    async::Task<PersonRow> find(WorkspaceId workspace, PersonId person);
    async::Task<> end_place(Actor actor, PersonId person, bool is_leaving);
    /// Lifetime: both outlive the call.
    async::Task<own_mail::Enclosed> enclose_invitation(WorkspaceId workspace,
                                                       const Invitation* invitation,
                                                       const Secret* link);
    async::Task<InvitationRow> find_invitation(std::string token);
    async::Task<std::string> invited_address(InvitationRow row);
    async::Task<std::vector<Invitation>> open_invitations(WorkspaceId workspace);
    async::Task<Joined> store_joining(InvitationRow row,
                                      PersonRow person,
                                      bool is_new,
                                      std::string from);

    /// Errors: too_many_attempts.
    Result<> count_mailed(const Actor& actor, const Bytes& address_token);

    Parts parts_;
    PlaceBudget mailed_by_{{.at_place = k_mailed_by_max, .stretch_s = 3600}};
    PlaceBudget mailed_to_{{.at_place = k_mailed_to_max, .stretch_s = 3600}};
};

}  // namespace postern::identity
