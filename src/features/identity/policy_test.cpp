#include "features/identity/policy.h"

#include "features/identity/actor.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace postern::identity {
namespace {

using enum Permission;

// What each role may never do. Changing one of these changes the product's promises.
static_assert(!allows(Role::reader, write_mail) && !allows(Role::reader, manage_integrations));
static_assert(!allows(Role::reader, close_integrations) && !allows(Role::reader, judge_held));
static_assert(!allows(Role::operator_, read_history) && !allows(Role::operator_, write_mail));
static_assert(!allows(Role::auditor, read_history) && !allows(Role::auditor, open_integrations));
static_assert(!allows(Role::privacy, open_integrations) && !allows(Role::privacy, write_mail));
static_assert(!allows(Role::manager, manage_tokens));
static_assert(allows(Role::privacy, close_integrations) && allows(Role::owner, manage_tokens));

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

TEST(Policy, names_are_read_back_and_nothing_else_is) {
    for (const auto role : k_roles)
        EXPECT_EQ(parse_role(name_of(role)), role);
    for (const auto* wrong : {"", "king", "Owner", "owner ", "operator_", "owners"}) {
        EXPECT_FALSE(parse_role(wrong).has_value()) << wrong;
    }
}

}  // namespace
}  // namespace postern::identity
