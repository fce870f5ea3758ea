#include "features/identity/policy.h"

#include "features/identity/actor.h"
#include "features/identity/identity_error.h"
#include "features/identity/scopes.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace postern::identity {
namespace {

using enum Permission;

// What each role may never do. Changing one of these changes the product's promises.
static_assert(!allows(Role::reader, write_mail) && !allows(Role::reader, manage_integrations));
static_assert(allows(Role::reader, read_history) && !allows(Role::reader, read_bodies));
static_assert(!allows(Role::operator_, read_bodies) && !allows(Role::auditor, read_bodies));
static_assert(!allows(Role::reader, close_integrations) && !allows(Role::reader, judge_held));
static_assert(!allows(Role::operator_, read_history) && !allows(Role::operator_, write_mail));
static_assert(!allows(Role::auditor, read_history) && !allows(Role::auditor, open_integrations));
static_assert(!allows(Role::privacy, open_integrations) && !allows(Role::privacy, write_mail));
static_assert(!allows(Role::manager, manage_tokens));
static_assert(allows(Role::privacy, cut_off_integrations) && allows(Role::owner, manage_tokens));
static_assert(!allows(Role::reader, cut_off_integrations) &&
              !allows(Role::manager, manage_workspace));
static_assert(!allows(Role::operator_, reseal_integrations));

// Who has not shown all there is to show reaches nothing but the way to show it.
static_assert(is_open_in(Standing::needs_factor, see_self));
static_assert(!is_open_in(Standing::needs_factor, see_own_sign_in));
static_assert(!is_open_in(Standing::needs_factor, manage_own_factors));
static_assert(is_open_in(Standing::needs_enrolment, manage_own_factors));
static_assert(!is_open_in(Standing::needs_enrolment, see_workspace));

// What ends access at once waits for nobody; what cannot be undone does.
static_assert(!needs_fresh_proof(close_integrations) && needs_fresh_proof(cut_off_integrations));
static_assert(needs_fresh_proof(reseal_integrations) && needs_fresh_proof(manage_tokens));

// Nobody but the check makes the proof.
using Proof = Authorized<write_mail>;
static_assert(!std::is_default_constructible_v<Proof>);
static_assert(!std::is_constructible_v<Proof, Actor>);
static_assert(!std::is_convertible_v<Authorized<read_history>, Proof>);
static_assert(!std::is_constructible_v<Proof, Authorized<read_history>>);

TEST(Policy, owner_may_everything_that_anybody_may) {
    for (const auto role : k_roles) {
        EXPECT_EQ(permissions_of(role) & ~permissions_of(Role::owner), 0U) << name_of(role);
        EXPECT_TRUE(allows(role, see_workspace)) << name_of(role);
    }
}

TEST(Policy, check_gives_proof_only_where_it_allows) {
    Actor actor;
    actor.role = Role::reader;
    EXPECT_FALSE(Authorized<write_mail>::check(actor).has_value());
    EXPECT_TRUE(Authorized<read_history>::check(actor).has_value());
    actor.role = Role::manager;
    const auto proof = Authorized<write_mail>::check(actor);
    ASSERT_TRUE(proof.has_value());
    EXPECT_EQ(proof->actor().role, Role::manager);
}

TEST(Policy, standing_is_asked_before_the_role) {
    Actor actor;
    actor.role = Role::reader;
    actor.standing = Standing::needs_factor;
    actor.person = PersonId::make(5);
    const auto refused = Authorized<write_mail>::check(actor);
    EXPECT_TRUE(!refused && refused.error().is(IdentityError::second_factor_needed));
    actor.standing = Standing::needs_enrolment;
    const auto unenrolled = Authorized<read_history>::check(actor);
    EXPECT_TRUE(!unenrolled &&
                unenrolled.error().is(IdentityError::second_factor_enrolment_needed));
    EXPECT_TRUE(Authorized<manage_own_factors>::check(actor).has_value());
}

TEST(Policy, what_is_a_persons_is_refused_to_tokens) {
    Actor actor;
    actor.role = Role::owner;
    actor.scopes = Scopes::all();
    actor.token = TokenId::make(5);
    for (const auto own : {see_own_sign_in, change_own_password, manage_own_factors}) {
        const auto refused = admit(actor, own);
        EXPECT_TRUE(!refused && refused.error().is(IdentityError::person_needed));
    }
    actor.person = PersonId::make(5);
    EXPECT_TRUE(admit(actor, see_own_sign_in).has_value());
}

TEST(Policy, weighty_acts_ask_for_a_fresh_proof_after_the_role) {
    Actor actor;
    actor.role = Role::reader;
    actor.is_fresh = false;
    const auto reader = Authorized<cut_off_integrations>::check(actor);
    EXPECT_TRUE(!reader && reader.error().is(IdentityError::forbidden));
    actor.role = Role::owner;
    const auto owner = Authorized<cut_off_integrations>::check(actor);
    EXPECT_TRUE(!owner && owner.error().is(IdentityError::fresh_proof_needed));
    EXPECT_TRUE(Authorized<close_integrations>::check(actor).has_value());
}

TEST(Policy, names_are_read_back_and_nothing_else_is) {
    for (const auto role : k_roles)
        EXPECT_EQ(parse_role(name_of(role)), role);
    for (const auto* wrong : {"", "king", "Owner", "owner ", "operator_", "owners"}) {
        EXPECT_FALSE(parse_role(wrong).has_value()) << wrong;
    }
}

}  // namespace
}  // namespace postern::identity
