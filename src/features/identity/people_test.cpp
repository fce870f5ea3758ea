#include "features/identity/people.h"

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/people_error.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;

constexpr UnixMs k_day_ms = 86'400'000;
constexpr std::string_view k_maya = "maya@brand.example";
constexpr std::string_view k_maya_password = "nine green bottles on a wall";

class PeopleTest : public IdentityLab {
protected:
    void SetUp() override {
        owner();
        clock.now += 1000;
        olga = signed_in(k_email, k_password);
    }

    Actor signed_in(std::string_view email, std::string_view password) {
        auto session = sign_in(email, password).value();
        return run(identity->authenticate_session(text_of(session.text), std::nullopt)).value();
    }
    Result<Invitation> invite(std::string_view email, Role role) {
        return invite(olga, email, role);
    }
    Result<Invitation> invite(const Actor& by, std::string_view email, Role role) {
        People::Wish wish;
        wish.id = InvitationId::make(clock.now);
        wish.email = email;
        wish.role = role;
        wish.page = "https://postern.example/invitation";
        return run(people->invite(People::Manage::check(by).value(), std::move(wish)));
    }
    static std::string token_of(const Invitation& invitation) {
        const auto link = text_of(invitation.link);
        return link.substr(link.find('=') + 1);
    }
    Result<Joined> accept(const Invitation& invitation, std::string_view password) {
        return run(people->accept(token_of(invitation), secret_of(password), "198.51.100.3"));
    }
    Joined join(std::string_view email, Role role, std::string_view password = k_maya_password) {
        return accept(invite(email, role).value(), password).value();
    }
    Result<Member> change(PersonId person, People::Change change) {
        return run(people->change(manage(), person, change));
    }
    Result<> end(PersonId person) { return run(people->end(manage(), person)); }
    /// Fresh, whatever was done before.
    People::Manage manage() {
        auto actor = olga;
        actor.is_fresh = true;
        return People::Manage::check(actor).value();
    }
    std::vector<Member> members() {
        return run(people->list(People::See::check(olga).value())).value();
    }
    AccessReport access() {
        using See = Authorized<Permission::see_access>;
        return run(people->access(See::check(olga).value(), clock.now - 30 * k_day_ms)).value();
    }
    bool is_good(const Actor& actor) { return run(identity->check_again(actor)).has_value(); }
    Identity::Token token(const Actor& by, Role role) {
        using Manage = Authorized<Permission::manage_tokens>;
        Identity::TokenWish wish;
        wish.role = role;
        wish.scopes = Scopes::of({"people", "tokens"}).value();
        return run(identity->create_token(Manage::check(by).value(), std::move(wish))).value();
    }
    Actor token_actor(const Identity::Token& token) {
        return run(identity->authenticate_token(text_of(token.text))).value();
    }

    Actor olga;
};

TEST_F(PeopleTest, invited_person_chooses_a_password_and_works_here) {
    const auto invitation = invite(k_maya, Role::manager).value();
    const auto offer = run(people->look_at(token_of(invitation))).value();
    EXPECT_EQ(offer.workspace, "Brand");
    EXPECT_EQ(offer.email, k_maya);
    EXPECT_EQ(offer.role, Role::manager);
    const auto joined = accept(invitation, k_maya_password).value();
    EXPECT_EQ(joined.workspace, olga.workspace);
    const auto maya = signed_in(k_maya, k_maya_password);
    EXPECT_EQ(maya.person, joined.person);
    EXPECT_EQ(maya.role, Role::manager);
    const auto all = members();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].email, k_email);
    EXPECT_EQ(all[1].email, k_maya);
    EXPECT_EQ(all[1].signed_in_at_ms, clock.now);
    EXPECT_FALSE(all[1].is_suspended);
}

TEST_F(PeopleTest, invitation_is_good_once_and_for_seven_days) {
    const auto once = invite(k_maya, Role::reader).value();
    EXPECT_TRUE(accept(once, k_maya_password));
    EXPECT_TRUE(fails_with(accept(once, k_maya_password), PeopleError::invitation_invalid));
    const auto late = invite("lea@brand.example", Role::reader).value();
    clock.now = late.expires_at_ms;
    EXPECT_TRUE(fails_with(accept(late, k_maya_password), PeopleError::invitation_invalid));
    clock.now = late.expires_at_ms - 1;
    EXPECT_TRUE(accept(late, k_maya_password));
    EXPECT_TRUE(fails_with(run(people->look_at("psi_nothing")), PeopleError::invitation_invalid));
}

TEST_F(PeopleTest, invitation_that_was_taken_back_or_made_anew_is_void) {
    const auto first = invite(k_maya, Role::owner).value();
    const auto second = invite("MAYA@brand.example", Role::reader).value();
    EXPECT_TRUE(fails_with(accept(first, k_maya_password), PeopleError::invitation_invalid));
    const auto open = run(people->invitations(People::See::check(olga).value())).value();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open[0].id, second.id);
    EXPECT_EQ(open[0].invited_by, olga.person);
    EXPECT_TRUE(run(people->withdraw(manage(), second.id)));
    EXPECT_TRUE(
        fails_with(run(people->withdraw(manage(), second.id)), PeopleError::invitation_not_found));
    EXPECT_TRUE(fails_with(accept(second, k_maya_password), PeopleError::invitation_invalid));
}

TEST_F(PeopleTest, weak_passwords_are_refused_and_the_link_stays_good) {
    const auto invitation = invite(k_maya, Role::reader).value();
    EXPECT_TRUE(fails_with(accept(invitation, "short"), IdentityError::password_too_short));
    EXPECT_TRUE(fails_with(accept(invitation, k_maya), IdentityError::password_is_address));
    EXPECT_TRUE(accept(invitation, k_maya_password));
}

TEST_F(PeopleTest, token_gives_no_role_beyond_its_scopes) {
    const auto some = token_actor(token(olga, Role::owner));
    EXPECT_TRUE(invite(some, k_maya, Role::reader));
    for (const auto role : {Role::owner, Role::manager, Role::operator_})
        EXPECT_TRUE(fails_with(invite(some, k_maya, role), IdentityError::beyond_own_rights));
    const auto joined = join(k_maya, Role::reader);
    EXPECT_TRUE(fails_with(run(people->change(People::Manage::check(some).value(), joined.person,
                                              {.role = Role::owner, .is_suspended = std::nullopt})),
                           IdentityError::beyond_own_rights));
}

TEST_F(PeopleTest, who_works_here_is_not_invited_again) {
    join(k_maya, Role::reader);
    EXPECT_TRUE(fails_with(invite(k_maya, Role::owner), PeopleError::already_member));
    EXPECT_TRUE(fails_with(invite("no address", Role::owner), IdentityError::invalid_email));
}

TEST_F(PeopleTest, known_person_joins_signed_in_and_not_by_a_password) {
    join(k_maya, Role::reader);
    const auto maya = signed_in(k_maya, k_maya_password);
    const auto other = run(people->create_workspace(People::Join::check(maya).value(), "Other"));
    ASSERT_TRUE(other.has_value());
    auto in_other = maya;
    in_other.workspace = other->id;
    in_other.role = Role::owner;
    const auto invitation = invite(in_other, k_email, Role::reader).value();
    // Neither tells whether it is hers, and neither is counted as a guess.
    for (int i = 0; i < 2 * k_free_attempts; ++i) {
        EXPECT_TRUE(fails_with(accept(invitation, k_maya_password), PeopleError::sign_in_first));
        EXPECT_TRUE(fails_with(accept(invitation, k_password), PeopleError::sign_in_first));
    }
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_TRUE(run(people->join(People::Join::check(olga).value(), token_of(invitation))));
    EXPECT_EQ(run(people->places(*olga.person)).value().size(), 2U);
}

TEST_F(PeopleTest, what_an_owner_prepared_ends_with_their_place) {
    for (const bool is_deleted : {true, false}) {
        const auto rogue = join(k_maya, Role::owner);
        const auto maya = signed_in(k_maya, k_maya_password);
        const auto prepared = invite(maya, "later@brand.example", Role::owner).value();
        const auto mine = invite("mine@brand.example", Role::owner).value();
        if (is_deleted) {
            ASSERT_TRUE(end(rogue.person));
        } else {
            ASSERT_TRUE(change(rogue.person, {.role = Role::manager, .is_suspended = {}}));
        }
        EXPECT_TRUE(fails_with(accept(prepared, "a long enough password"),
                               PeopleError::invitation_invalid));
        EXPECT_TRUE(run(people->look_at(token_of(mine))).has_value());
    }
}

TEST_F(PeopleTest, change_that_changes_nothing_ends_nothing) {
    const auto joined = join(k_maya, Role::manager);
    const auto maya = signed_in(k_maya, k_maya_password);
    clock.now += 1000;
    const auto since = change(joined.person, {}).value().since_ms;
    EXPECT_LT(since, clock.now);
    EXPECT_TRUE(change(joined.person, {.role = Role::manager, .is_suspended = false}));
    EXPECT_TRUE(run(identity->check_again(maya)));
}

TEST_F(PeopleTest, signed_in_person_joins_by_an_invitation_to_their_address) {
    join(k_maya, Role::reader);
    const auto maya = signed_in(k_maya, k_maya_password);
    const auto other =
        run(people->create_workspace(People::Join::check(maya).value(), "Other")).value();
    auto in_other = maya;
    in_other.workspace = other.id;
    in_other.role = Role::owner;
    const auto for_olga = invite(in_other, k_email, Role::reader).value();
    EXPECT_TRUE(fails_with(run(people->join(People::Join::check(maya).value(), token_of(for_olga))),
                           PeopleError::other_address));
    EXPECT_TRUE(run(people->join(People::Join::check(olga).value(), token_of(for_olga))));
    const auto named = run(people->places(*olga.person)).value();
    ASSERT_EQ(named.size(), 2U);
    EXPECT_EQ(named[1].workspace.name, "Other");
    EXPECT_EQ(named[1].role, Role::reader);
}

TEST_F(PeopleTest, somebody_with_several_workspaces_names_one) {
    const auto other =
        run(people->create_workspace(People::Join::check(olga).value(), "Other")).value();
    const auto text = text_of(sign_in()->text);
    EXPECT_TRUE(fails_with(run(identity->authenticate_session(text, std::nullopt)),
                           IdentityError::workspace_needed));
    const auto oldest =
        run(identity->authenticate_session(text, std::nullopt, Unnamed::oldest)).value();
    EXPECT_EQ(oldest.workspace, olga.workspace);
    const auto named = run(identity->authenticate_session(text, other.id)).value();
    EXPECT_EQ(named.workspace, other.id);
    EXPECT_EQ(named.role, Role::owner);
}

TEST_F(PeopleTest, nobody_owns_more_workspaces_than_they_may) {
    const auto make = [this](std::string name) {
        return run(people->create_workspace(People::Join::check(olga).value(), std::move(name)));
    };
    for (std::int64_t i = 1; i < k_owned_workspaces_max; ++i)
        EXPECT_TRUE(make("Brand " + std::to_string(i)));
    EXPECT_TRUE(fails_with(make("One more"), PeopleError::too_many_workspaces));
    EXPECT_TRUE(fails_with(make("two\nlines"), IdentityError::invalid_workspace_name));
}

TEST_F(PeopleTest, suspended_person_is_as_one_who_is_not_there) {
    const auto joined = join(k_maya, Role::manager);
    const auto maya = signed_in(k_maya, k_maya_password);
    EXPECT_TRUE(is_good(maya));
    const auto endings = identity->endings();
    EXPECT_TRUE(
        change(joined.person, {.role = std::nullopt, .is_suspended = true}).value().is_suspended);
    EXPECT_GT(identity->endings(), endings);
    EXPECT_FALSE(is_good(maya));
    EXPECT_TRUE(fails_with(sign_in(k_maya, k_maya_password), IdentityError::invalid_credentials));
    EXPECT_TRUE(change(joined.person, {.role = std::nullopt, .is_suspended = false}));
    EXPECT_EQ(signed_in(k_maya, k_maya_password).role, Role::manager);
    EXPECT_FALSE(is_good(maya)) << "a session that ended stays ended";
}

TEST_F(PeopleTest, suspended_in_one_workspace_works_in_another) {
    join(k_maya, Role::manager);
    const auto maya = signed_in(k_maya, k_maya_password);
    const auto other =
        run(people->create_workspace(People::Join::check(maya).value(), "Other")).value();
    EXPECT_TRUE(change(*maya.person, {.role = std::nullopt, .is_suspended = true}));
    const auto text = text_of(sign_in(k_maya, k_maya_password)->text);
    EXPECT_EQ(run(identity->authenticate_session(text, std::nullopt)).value().workspace, other.id);
    EXPECT_TRUE(fails_with(run(identity->authenticate_session(text, olga.workspace)),
                           IdentityError::no_workspace));
}

TEST_F(PeopleTest, other_role_ends_sessions_and_the_tokens_that_it_could_not_make) {
    const auto joined = join(k_maya, Role::owner);
    const auto maya = signed_in(k_maya, k_maya_password);
    const auto strong = token(maya, Role::owner);
    const auto weak = token(maya, Role::reader);
    const auto of_the_strong = token(token_actor(strong), Role::owner);
    const auto olgas = token(olga, Role::owner);
    EXPECT_EQ(of_the_strong.row.made_by, joined.person);
    const auto seen = std::vector{token_actor(strong), token_actor(weak),
                                  token_actor(of_the_strong), token_actor(olgas)};
    EXPECT_EQ(change(joined.person, {.role = Role::manager, .is_suspended = std::nullopt})->role,
              Role::manager);
    EXPECT_FALSE(is_good(maya));
    EXPECT_FALSE(is_good(seen[0]));
    EXPECT_FALSE(is_good(seen[1]));
    EXPECT_FALSE(is_good(seen[2]));
    EXPECT_TRUE(is_good(seen[3]));
    EXPECT_TRUE(end(joined.person));
    EXPECT_FALSE(is_good(seen[1]));
    EXPECT_TRUE(is_good(seen[3]));
}

TEST_F(PeopleTest, there_is_always_an_owner_who_can_sign_in) {
    const auto leave = [this](const Actor& actor) {
        return run(people->leave(Authorized<Permission::leave_workspace>::check(actor).value()));
    };
    const auto self = *olga.person;
    EXPECT_TRUE(fails_with(leave(olga), PeopleError::last_owner));
    EXPECT_TRUE(fails_with(end(self), PeopleError::last_owner));
    EXPECT_TRUE(fails_with(change(self, {.role = Role::manager, .is_suspended = std::nullopt}),
                           PeopleError::last_owner));
    EXPECT_TRUE(fails_with(change(self, {.role = std::nullopt, .is_suspended = true}),
                           PeopleError::last_owner));
    const auto other = join(k_maya, Role::owner);
    EXPECT_TRUE(change(other.person, {.role = std::nullopt, .is_suspended = true}));
    EXPECT_TRUE(fails_with(leave(olga), PeopleError::last_owner));
    EXPECT_TRUE(change(other.person, {.role = std::nullopt, .is_suspended = false}));
    EXPECT_TRUE(leave(olga));
    EXPECT_FALSE(is_good(olga));
}

TEST_F(PeopleTest, who_works_nowhere_any_more_is_deleted_and_can_come_again) {
    const auto joined = join(k_maya, Role::manager);
    clock.now += k_day_ms;
    EXPECT_TRUE(end(joined.person));
    EXPECT_TRUE(fails_with(end(joined.person), PeopleError::person_not_found));
    EXPECT_TRUE(fails_with(sign_in(k_maya, k_maya_password), IdentityError::invalid_credentials));
    const auto gone = run(database->read(
        [id = joined.person](store::Transaction& tx) { return rows::find_person(tx, id); }));
    EXPECT_FALSE(gone.value().has_value());
    const auto again = join(k_maya, Role::reader, "another one than before");
    EXPECT_NE(again.person, joined.person);
}

TEST_F(PeopleTest, report_tells_who_had_access_to_what) {
    const auto joined = join(k_maya, Role::manager);
    const auto began = clock.now;
    clock.now += 5 * k_day_ms;
    olga = signed_in(k_email, k_password);
    EXPECT_TRUE(change(joined.person, {.role = Role::reader, .is_suspended = std::nullopt}));
    const auto changed = clock.now;
    clock.now += 5 * k_day_ms;
    EXPECT_TRUE(end(joined.person));
    const auto ended = clock.now;
    auto report = access();
    ASSERT_EQ(report.people.size(), 1U);
    ASSERT_EQ(report.past.size(), 2U);
    EXPECT_EQ(report.past[0].email, k_maya);
    EXPECT_EQ(report.past[0].role, Role::reader);
    EXPECT_EQ(report.past[0].from_ms, changed);
    EXPECT_EQ(report.past[0].to_ms, ended);
    EXPECT_EQ(report.past[1].role, Role::manager);
    EXPECT_EQ(report.past[1].from_ms, began);
    EXPECT_EQ(report.past[1].to_ms, changed);
    clock.now = changed + 31 * k_day_ms;
    report = access();
    ASSERT_EQ(report.past.size(), 1U);
    EXPECT_EQ(report.past[0].to_ms, ended);
}

TEST_F(PeopleTest, time_of_suspension_is_no_access) {
    const auto joined = join(k_maya, Role::manager);
    const People::Change suspend{.role = std::nullopt, .is_suspended = true};
    const People::Change restore{.role = std::nullopt, .is_suspended = false};
    clock.now += 10;
    EXPECT_TRUE(change(joined.person, suspend));
    clock.now += 10;
    EXPECT_TRUE(change(joined.person, {.role = Role::reader, .is_suspended = std::nullopt}));
    clock.now += 10;
    EXPECT_TRUE(change(joined.person, restore));
    EXPECT_EQ(access().past.size(), 1U);
    // A clock that was set back does not keep anybody in.
    clock.now -= 30;
    EXPECT_TRUE(change(joined.person, suspend));
    clock.now += 5;
    EXPECT_TRUE(change(joined.person, restore));
    clock.now += 5;
    EXPECT_TRUE(end(joined.person));
}

TEST_F(PeopleTest, review_is_due_a_quarter_after_the_last) {
    auto report = access();
    EXPECT_EQ(report.reviewed_at_ms, 0);
    clock.now += k_day_ms;
    EXPECT_TRUE(run(people->confirm_access(manage())));
    report = access();
    EXPECT_EQ(report.reviewed_at_ms, clock.now);
    EXPECT_EQ(report.due_at_ms, clock.now + k_access_review_s * 1000);
}

TEST_F(PeopleTest, place_that_ends_takes_its_private_threads_along) {
    const auto maya = accept(invite(k_maya, Role::manager).value(), k_maya_password)->person;
    const auto workspace = olga.workspace;
    const auto thread = ThreadId::make(clock.now);
    const auto begin = [&](store::Transaction& tx) -> Result<> {
        auto begun = private_threads::rows::begin(tx, workspace, thread, maya, clock.now);
        if (!begun) return begun;
        POSTERN_TRY([[maybe_unused]] const auto added,
                    private_threads::rows::add(tx, workspace, thread, *olga.person, clock.now));
        return {};
    };
    ASSERT_TRUE(database->write_now(begin));
    const auto members = [&] {
        const auto read = [&](store::Transaction& tx) {
            return private_threads::rows::people_of(tx, workspace, thread);
        };
        return database->read_now(read).value().value();
    };
    const auto manage = People::Manage::check(olga).value();
    People::Change suspended;
    suspended.is_suspended = true;
    ASSERT_TRUE(run(people->change(manage, maya, suspended)));
    EXPECT_EQ(members().size(), 2U);
    EXPECT_TRUE(fails_with(run(people->end(manage, *olga.person)), PeopleError::last_owner));
    EXPECT_EQ(members().size(), 2U);
    ASSERT_TRUE(run(people->end(manage, maya)));
    EXPECT_EQ(members(), std::vector{*olga.person});
}

}  // namespace
}  // namespace postern::identity::test
