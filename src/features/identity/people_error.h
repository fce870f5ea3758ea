#pragma once

#include "foundation/base/error.h"

namespace postern::identity {

/// About who works where, and the links that let people in.
enum class PeopleError {
    person_not_found,
    invitation_not_found,
    invitation_invalid,
    already_member,
    last_owner,
    too_many_people,
    too_many_workspaces,
    other_address,
    no_mail,
    reset_invalid,
    works_elsewhere,
    managed,
    sign_in_first,
    goes_by_mail,
};

constexpr ErrorInfo describe(PeopleError error) {
    switch (error) {
        case PeopleError::person_not_found: return {"not_found", "There is no such person."};
        case PeopleError::invitation_not_found:
            return {"not_found", "There is no such invitation."};
        case PeopleError::invitation_invalid:
            return {"invitation_invalid",
                    "This invitation is not valid, was used, or is too old. Ask for a new one."};
        case PeopleError::already_member:
            return {"already_member", "This person works in the workspace already."};
        case PeopleError::last_owner:
            return {"last_owner", "A workspace has an owner: make somebody else one first."};
        case PeopleError::too_many_people:
            return {"too_many_people", "This workspace has as many people as one may have."};
        case PeopleError::too_many_workspaces:
            return {"too_many_workspaces", "You own as many workspaces as one person may."};
        case PeopleError::other_address:
            return {"invitation_invalid", "This invitation is for another address than yours."};
        case PeopleError::no_mail:
            return {"no_mail",
                    "This server sends no mail. An owner of your workspace can give you a link."};
        case PeopleError::reset_invalid:
            return {"reset_invalid",
                    "This link is not valid, was used, or is too old. Ask for a new one."};
        case PeopleError::works_elsewhere:
            return {
                "works_elsewhere",
                "This person works in a workspace that is not yours, too: only they themselves, "
                "or the operator on the machine, can choose a new password for them."};
        case PeopleError::managed:
            return {
                "managed_person",
                "An identity provider of their workspace brought this person: they work in that "
                "one alone, and have no password here."};
        case PeopleError::sign_in_first:
            return {"sign_in_first",
                    "This address signs in here already. Sign in, and accept there "
                    "(POST /v1/me/workspaces): a password alone joins nothing."};
        case PeopleError::goes_by_mail:
            return {"goes_by_mail",
                    "This server sends mail, and so invitations go by mail: a link that is passed "
                    "on does not show who has the address."};
    }
    return {"not_found", "There is no such person."};
}

}  // namespace postern::identity
