#include "features/identity/place_change.h"

#include "features/identity/identity_store.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/people_error.h"
#include "features/identity/people_store.h"
#include "features/identity/policy.h"
#include "features/identity/provider_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/store/transaction.h"

namespace postern::identity {
namespace {

/// Nobody gives a role more than they may do themselves (actor.h, may_give).
bool may_still_give(Role role, Permission permission, Role given) {
    const bool is_within = (permissions_of(given) & ~permissions_of(role)) == 0;
    return allows(role, permission) && is_within;
}

/// Invitations that they made and could not make any more, and, of whoever could make them, links
/// to a new password for somebody who works there.
Result<> end_links(store::Transaction& tx,
                   const Membership& before,
                   const Membership& row,
                   bool may_have_some,
                   UnixMs now_ms) {
    if (!allows(before.role, Permission::manage_people)) return {};
    POSTERN_TRY(const auto open, rows::list_invitations(tx, row.workspace, now_ms));
    for (const auto& one : open) {
        if (one.invited_by != row.person) continue;
        if (may_have_some && may_still_give(row.role, Permission::manage_people, one.role))
            continue;
        POSTERN_TRY([[maybe_unused]] const auto deleted,
                    rows::delete_invitation(tx, row.workspace, one.id));
    }
    if (may_have_some && allows(row.role, Permission::reset_passwords)) return {};
    return rows::delete_resets_of_people(tx, row.workspace);
}

/// Tokens that they made and could not make any more.
Result<> end_tokens(store::Transaction& tx, const Membership& row, bool may_have_some) {
    POSTERN_TRY(const auto tokens, rows::list_tokens(tx, row.workspace));
    for (const auto& token : tokens) {
        if (token.made_by != row.person) continue;
        if (may_have_some && may_still_give(row.role, Permission::manage_tokens, token.role))
            continue;
        POSTERN_TRY([[maybe_unused]] const auto deleted,
                    rows::delete_token(tx, row.workspace, token.id));
    }
    return {};
}

Result<> end_person(store::Transaction& tx, PersonId id) {
    POSTERN_TRY(const auto places, rows::list_memberships(tx, id));
    if (!places.empty()) return {};
    POSTERN_TRY(const auto person, rows::find_person(tx, id));
    if (!person) return {};
    return rows::delete_person(tx, *person);
}

}  // namespace

Result<> store_place_change(store::Transaction& tx, const PlaceChange& ask) {
    POSTERN_TRY(const auto found, rows::find_membership(tx, ask.workspace, ask.person));
    if (!found) return fail(PeopleError::person_not_found);
    auto next = *found;
    next.role = ask.role.value_or(next.role);
    next.is_suspended = ask.is_suspended.value_or(next.is_suspended);
    const bool is_same = next.role == found->role && next.is_suspended == found->is_suspended;
    if (!ask.ends && is_same) return {};
    next.since_ms = ask.now_ms;
    if (is_owner(*found) && (ask.ends || !is_owner(next))) {
        POSTERN_TRY(const auto owners, rows::count_owners(tx, ask.workspace));
        if (owners < 2) return fail(PeopleError::last_owner);
    }
    Result<> done;
    if (!found->is_suspended && found->since_ms < ask.now_ms) {
        done = rows::insert_past_membership(tx, {ask.workspace, ask.person, found->role,
                                                 ask.kept_address, found->since_ms, ask.now_ms});
    }
    const bool may_have_some = !ask.ends && !next.is_suspended;
    if (done) done = end_tokens(tx, next, may_have_some);
    if (done) done = end_links(tx, *found, next, may_have_some, ask.now_ms);
    if (done) done = rows::delete_sessions(tx, ask.person);
    if (done && !ask.ends) return rows::update_membership(tx, next);
    if (done) done = rows::delete_links(tx, ask.workspace, ask.person);
    if (done) done = rows::delete_membership(tx, ask.workspace, ask.person);
    if (done) done = private_threads::rows::end_place(tx, ask.workspace, ask.person);
    if (done) done = end_person(tx, ask.person);
    return done;
}

}  // namespace postern::identity
