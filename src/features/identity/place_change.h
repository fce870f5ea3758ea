#pragma once

#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <optional>

namespace postern::identity {

/// What becomes of a person's place in a workspace.
struct PlaceChange {
    WorkspaceId workspace;
    PersonId person;
    std::optional<Role> role;
    std::optional<bool> is_suspended;
    bool ends = false;
    store::SealedBytes kept_address;  ///< for the review of who had access
    UnixMs now_ms = 0;
};
/// Ends the person's sessions, and those tokens, invitations and links to a new password that they
/// made and could not make any more; with the last place, the person. Nothing where nothing
/// changes. Errors: person_not_found, last_owner.
Result<> store_place_change(store::Transaction& tx, const PlaceChange& ask);

}  // namespace postern::identity
