#include "features/identity/password_resets.h"

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/people.h"
#include "features/identity/people_error.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/own_mail/own_mail.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity::test {
namespace {

using store::fails_with;

constexpr std::string_view k_page = "https://postern.example/reset";
constexpr std::string_view k_next = "seven paper lanterns adrift";

class PasswordResetsTest : public IdentityLab {
protected:
    void SetUp() override {
        sends_mail = true;
        restart();
        owner();
        olga = signed_in(k_password);
        EXPECT_TRUE(letters().empty()) << "nobody is told of their first device";
    }
    Actor signed_in(std::string_view password) {
        auto session = sign_in(k_email, password).value();
        return run(identity->authenticate_session(text_of(session.text), std::nullopt)).value();
    }
    Result<> ask(std::string_view email) {
        return run(resets->ask(std::string(email), std::string(k_page), "198.51.100.3"));
    }
    /// The token of the only letter.
    std::string mailed_token() {
        const auto sent = letters();
        EXPECT_EQ(sent.size(), 1U);
        if (sent.empty()) return {};
        EXPECT_EQ(sent[0].to, k_email);
        const auto begin = sent[0].text.find("?token=") + 7;
        return sent[0].text.substr(begin, sent[0].text.find('\n', begin) - begin);
    }
    Result<> use(std::string token, std::string_view password = k_next) {
        return run(resets->use(std::move(token), secret_of(password), "198.51.100.3"));
    }
    bool is_good(const Actor& actor) { return run(identity->check_again(actor)).has_value(); }

    Actor olga;
};

TEST_F(PasswordResetsTest, mailed_link_lets_a_person_choose_a_password_once) {
    ASSERT_TRUE(ask(k_email));
    const auto token = mailed_token();
    EXPECT_TRUE(run(resets->look_at(token)));
    EXPECT_TRUE(fails_with(use(token, "short"), IdentityError::password_too_short));
    EXPECT_TRUE(use(token));
    EXPECT_FALSE(is_good(olga)) << "every session ends";
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::invalid_credentials));
    EXPECT_TRUE(sign_in(k_email, k_next));
    EXPECT_TRUE(fails_with(use(token), PeopleError::reset_invalid));
    const auto told = letters();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].subject, "Your password was changed");
}

TEST_F(PasswordResetsTest, link_is_good_for_thirty_minutes_and_the_newest_alone) {
    ASSERT_TRUE(ask(k_email));
    const auto first = mailed_token();
    ASSERT_TRUE(ask(k_email));
    const auto second = mailed_token();
    EXPECT_TRUE(fails_with(use(first), PeopleError::reset_invalid));
    clock.now += k_reset_s * 1000;
    EXPECT_TRUE(fails_with(use(second), PeopleError::reset_invalid));
    clock.now -= 1;
    EXPECT_TRUE(use(second));
}

TEST_F(PasswordResetsTest, nobody_learns_who_is_there_and_nobody_is_flooded) {
    ASSERT_TRUE(ask("nobody@brand.example"));
    EXPECT_TRUE(letters().empty());
    for (int i = 0; i < 20; ++i) {
        auto place = "10.0." + std::to_string(i) + ".1";
        EXPECT_TRUE(run(resets->ask(std::string(k_email), std::string(k_page), std::move(place))));
    }
    EXPECT_LE(letters().size(), 5U);
}

TEST_F(PasswordResetsTest, asking_is_bounded_by_place_and_in_all) {
    const auto from = [this](std::string address) {
        return run(resets->ask("nobody@brand.example", std::string(k_page), std::move(address)));
    };
    for (std::int64_t i = 0; i < k_asked_at_place_max; ++i)
        EXPECT_TRUE(from("198.51.100." + std::to_string(i)));
    EXPECT_TRUE(fails_with(from("198.51.100.77"), async::AsyncError::busy));
    EXPECT_TRUE(from("203.0.113.5")) << "another network";
    for (std::int64_t i = k_asked_at_place_max + 1; i < k_asked_max; ++i)
        EXPECT_TRUE(from("10.0." + std::to_string(i) + ".1"));
    EXPECT_TRUE(fails_with(from("192.0.2.1"), async::AsyncError::busy));
    clock.now += 60'000;
    EXPECT_TRUE(from("198.51.100.77"));
}

TEST_F(PasswordResetsTest, link_goes_to_the_address_that_is_stored) {
    ASSERT_TRUE(ask("OLGA@Brand.Example"));
    EXPECT_TRUE(use(mailed_token()));
}

TEST_F(PasswordResetsTest, second_factor_is_asked_for_as_before) {
    using Mine = SecondFactors::Mine;
    const auto made = run(factors->begin(Mine::check(olga).value(), "Phone")).value();
    ASSERT_TRUE(
        run(factors->confirm(Mine::check(olga).value(), made.id, code_of(made.key))).has_value());
    const auto told = letters();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].text.find("an authenticator app was added"), std::string::npos);
    ASSERT_TRUE(ask(k_email));
    ASSERT_TRUE(use(mailed_token()));
    EXPECT_TRUE(sign_in(k_email, k_next)->needs_factor);
}

TEST_F(PasswordResetsTest, recovery_on_the_host_ends_factors_and_tells_every_owner) {
    using Mine = SecondFactors::Mine;
    const auto made = run(factors->begin(Mine::check(olga).value(), "Phone")).value();
    ASSERT_TRUE(
        run(factors->confirm(Mine::check(olga).value(), made.id, code_of(made.key))).has_value());
    EXPECT_EQ(letters().size(), 1U);
    auto token = text_of(run(resets->recover(std::string(k_email))).value());
    const auto sent = letters();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].subject, "A recovery link was made");
    EXPECT_EQ(sent[0].text.find("token="), std::string::npos);
    EXPECT_TRUE(use(std::move(token)));
    EXPECT_FALSE(sign_in(k_email, k_next)->needs_factor);
    const auto left = run(database->read([id = *olga.person](store::Transaction& tx) {
        return rows::count_recovery_codes(tx, id);
    }));
    EXPECT_EQ(left.value(), 0);
    EXPECT_TRUE(
        fails_with(run(resets->recover("nobody@brand.example")), PeopleError::person_not_found));
}

TEST_F(PasswordResetsTest, owner_passes_a_link_on_only_for_people_of_their_own) {
    sends_mail = false;
    restart();
    EXPECT_TRUE(fails_with(ask(k_email), PeopleError::no_mail));
    using Reset = Authorized<Permission::reset_passwords>;
    const auto self = *olga.person;
    const auto make = [&] {
        return run(resets->ask_for(Reset::check(olga).value(), self, std::string(k_page)));
    };
    const auto link = make().value();
    ASSERT_TRUE(link.has_value());
    const auto text = text_of(*link);
    EXPECT_TRUE(text.starts_with(std::string(k_page) + "?token=psr_"));
    EXPECT_TRUE(fails_with(
        run(resets->ask_for(Reset::check(olga).value(), PersonId::make(9), std::string(k_page))),
        PeopleError::person_not_found));
    ASSERT_TRUE(run(people->create_workspace(People::Join::check(olga).value(), "Other")));
    EXPECT_TRUE(fails_with(make(), PeopleError::works_elsewhere));
    EXPECT_TRUE(use(text.substr(text.find('=') + 1)));
}

TEST_F(PasswordResetsTest, person_is_told_of_a_device_that_is_new) {
    const auto from = [this](std::string address, std::string device) {
        return run(identity->sign_in(std::string(k_email), secret_of(k_password),
                                     {std::move(address), std::move(device)}));
    };
    ASSERT_TRUE(from("192.0.2.99", "Firefox on a Mac"));
    EXPECT_TRUE(letters().empty()) << "the same network";
    ASSERT_TRUE(from("192.0.2.7", "curl/8.1"));
    const auto told = letters();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].to, k_email);
    EXPECT_NE(told[0].text.find("curl/8.1"), std::string::npos);
    ASSERT_TRUE(from("192.0.2.8", "curl/8.2"));
    EXPECT_TRUE(letters().empty()) << "another version is no other device";
    ASSERT_TRUE(from("203.0.113.5", "Firefox on a Mac"));
    EXPECT_EQ(letters().size(), 1U);
    clock.now += (k_client_known_s + 1) * 1000;
    ASSERT_TRUE(from("192.0.2.8", "curl/8.2"));
    EXPECT_TRUE(letters().empty()) << "nothing is known any more: as the first device";
}

TEST_F(PasswordResetsTest, invitation_goes_by_mail_and_its_link_to_nobody_else) {
    People::Wish wish;
    wish.id = InvitationId::make(clock.now);
    wish.email = "maya@brand.example";
    wish.page = "https://postern.example/invitation";
    const auto made =
        run(people->invite(People::Manage::check(olga).value(), std::move(wish))).value();
    EXPECT_EQ(made.link.size(), 0U);
    const auto sent = letters();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].to, "maya@brand.example");
    EXPECT_NE(sent[0].text.find("https://postern.example/invitation?token=psi_"),
              std::string::npos);
}

}  // namespace
}  // namespace postern::identity::test
