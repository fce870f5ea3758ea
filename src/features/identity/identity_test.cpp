#include "features/identity/identity.h"

#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/password_rules.h"
#include "features/identity/policy.h"
#include "foundation/base/id.h"
#include "platform/store/scratch_store_test.h"

namespace postern::identity {
namespace {

using store::fails_with;
using test::k_email;
using test::k_password;
using test::secret_of;
using test::text_of;

class IdentityTest : public test::IdentityLab {};

TEST_F(IdentityTest, setup_makes_an_owner_and_a_token_that_works) {
    const auto made = owner();
    EXPECT_EQ(made.role, Role::owner);
    const auto actor = run(identity->authenticate_token(text_of(made.text)));
    ASSERT_TRUE(actor.has_value());
    EXPECT_EQ(actor->workspace, made.workspace);
    EXPECT_EQ(actor->role, Role::owner);
    const auto me = run(identity->me(*actor)).value();
    EXPECT_EQ(me.workspace.name, "Brand");
    EXPECT_EQ(me.email, "");
    EXPECT_TRUE(keeper.workspaces.contains(made.workspace));
    EXPECT_TRUE(keeper.workspaces.contains(k_installation));
}

TEST_F(IdentityTest, setup_is_refused_a_second_time_and_no_more_links_are_made) {
    const auto token = setup_token();
    ASSERT_TRUE(set_up(token).has_value());
    EXPECT_TRUE(fails_with(set_up(token), IdentityError::setup_done));
    restart();
    EXPECT_TRUE(fails_with(set_up(token), IdentityError::setup_done));
    EXPECT_TRUE(fails_with(run(identity->create_setup_token()), IdentityError::setup_done));
}

TEST_F(IdentityTest, setup_refuses_every_token_but_the_newest) {
    EXPECT_TRUE(fails_with(set_up(std::string(43, 'x')), IdentityError::setup_token_invalid));
    const auto first = setup_token();
    const auto second = setup_token();
    EXPECT_TRUE(fails_with(set_up(first), IdentityError::setup_token_invalid));
    EXPECT_TRUE(fails_with(set_up(second + "x"), IdentityError::setup_token_invalid));
    EXPECT_TRUE(fails_with(set_up(""), IdentityError::setup_token_invalid));
    EXPECT_TRUE(run(identity->check_setup_token(second)).has_value());
    EXPECT_TRUE(set_up(second).has_value());
}

TEST_F(IdentityTest, setup_token_ends_after_24_hours) {
    const auto token = setup_token();
    clock.pass_s(k_setup_token_s - 1);
    EXPECT_TRUE(run(identity->check_setup_token(token)).has_value());
    clock.pass_s(1);
    EXPECT_TRUE(fails_with(set_up(token), IdentityError::setup_token_invalid));
}

TEST_F(IdentityTest, setup_with_bad_input_leaves_the_link_good) {
    const auto token = setup_token();
    const std::string long_password(k_password_bytes_max + 1, 'p');
    EXPECT_TRUE(fails_with(set_up(token, "no address"), IdentityError::invalid_email));
    EXPECT_TRUE(fails_with(set_up(token, "a@b.example\r\nBcc: x"), IdentityError::invalid_email));
    EXPECT_TRUE(
        fails_with(set_up(token, k_email, "eleven byte"), IdentityError::password_too_short));
    EXPECT_TRUE(
        fails_with(set_up(token, k_email, long_password), IdentityError::password_too_long));
    for (const auto& name : {std::string(), std::string(201, 'n'), std::string("a\nb")}) {
        EXPECT_TRUE(fails_with(set_up(token, k_email, k_password, name),
                               IdentityError::invalid_workspace_name));
    }
    const auto longest = "a" + std::string(k_password_bytes_max - 1, 'p');
    EXPECT_TRUE(set_up(token, k_email, longest).has_value());
}

TEST_F(IdentityTest, setup_uses_the_workspace_of_that_name_where_there_is_one) {
    const auto before = create_token("Brand").value();
    EXPECT_EQ(owner().workspace, before.workspace);
}

TEST_F(IdentityTest, create_token_finds_a_workspace_by_name_and_makes_it_otherwise) {
    const auto first = create_token("Brand").value();
    EXPECT_EQ(create_token("Brand").value().workspace, first.workspace);
    EXPECT_NE(create_token("brand").value().workspace, first.workspace);
    EXPECT_NE(create_token("Other").value().workspace, first.workspace);
    restart();
    EXPECT_EQ(create_token("Brand", Role::reader).value().workspace, first.workspace);
    EXPECT_TRUE(fails_with(create_token(""), IdentityError::invalid_workspace_name));
}

TEST_F(IdentityTest, demo_workspaces_are_marked_when_they_are_made) {
    auto made = run(identity->create_token(Identity::TokenAsk{"Demo", Role::owner, true})).value();
    const auto actor = run(identity->authenticate_token(text_of(made.text))).value();
    EXPECT_TRUE(run(identity->me(actor)).value().workspace.is_demo);
}

TEST_F(IdentityTest, tokens_carry_their_role_and_no_other_text_is_one) {
    for (const auto role : k_roles) {
        const auto made = create_token("Brand", role).value();
        const auto text = text_of(made.text);
        EXPECT_TRUE(text.starts_with("pst_"));
        EXPECT_EQ(run(identity->authenticate_token(text)).value().role, role);
        for (const auto& wrong :
             {text.substr(0, text.size() - 1), text + "A", "x" + text, text.substr(4)}) {
            EXPECT_TRUE(fails_with(run(identity->authenticate_token(wrong)),
                                   IdentityError::unauthenticated));
        }
    }
    for (const std::string wrong : {"", "pst_", "x"}) {
        EXPECT_TRUE(
            fails_with(run(identity->authenticate_token(wrong)), IdentityError::unauthenticated));
    }
}

TEST_F(IdentityTest, deleted_token_is_no_longer_good_and_only_its_workspace_deletes_it) {
    const auto mine = create_token("Brand").value();
    const auto theirs = create_token("Other").value();
    const auto actor = run(identity->authenticate_token(text_of(mine.text))).value();
    EXPECT_TRUE(fails_with(run(identity->delete_token(theirs.workspace, mine.id)),
                           IdentityError::token_not_found));
    EXPECT_TRUE(run(identity->check_again(actor)).has_value());
    EXPECT_TRUE(run(identity->delete_token(mine.workspace, mine.id)).has_value());
    EXPECT_TRUE(fails_with(run(identity->check_again(actor)), IdentityError::unauthenticated));
    EXPECT_TRUE(fails_with(run(identity->authenticate_token(text_of(mine.text))),
                           IdentityError::unauthenticated));
    EXPECT_EQ(run(identity->tokens(theirs.workspace)).value().size(), 1U);
    EXPECT_EQ(run(identity->tokens(mine.workspace)).value().size(), 0U);
}

TEST_F(IdentityTest, nothing_that_is_stored_holds_a_token_or_a_setup_token) {
    const auto setup = setup_token();
    const auto made = set_up(setup).value();
    const auto session = sign_in().value();
    ASSERT_TRUE(database->checkpoint_truncate_now().has_value());
    const auto file = folder.file("store.db");
    for (const auto& text : {setup, text_of(made.text), text_of(session.text),
                             text_of(made.text).substr(4), std::string(k_password)}) {
        EXPECT_EQ(store::raw_hits(file, text), 0);
    }
}

TEST_F(IdentityTest, keeper_away_is_an_error_and_nothing_is_stored) {
    const auto token = setup_token();
    keeper.link.close();
    EXPECT_FALSE(set_up(token).has_value());
    EXPECT_FALSE(create_token("Brand").has_value());
    EXPECT_TRUE(run(identity->check_setup_token(token)).has_value());
}

}  // namespace
}  // namespace postern::identity
