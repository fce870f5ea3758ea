#include "features/identity/second_factors.h"

#include "features/identity/actor.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/policy.h"
#include "features/identity/throttle.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/one_time_code.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;
using See = SecondFactors::See;
using Self = SecondFactors::Self;
using Mine = SecondFactors::Mine;

class SecondFactorsTest : public IdentityLab {
protected:
    /// Signed in by password.
    std::string session() { return text_of(sign_in().value().text); }
    Actor actor(const std::string& text) {
        return run(identity->authenticate_session(text, std::nullopt)).value();
    }
    Self self(const std::string& text) { return Self::check(actor(text)).value(); }
    See see(const std::string& text) { return See::check(actor(text)).value(); }
    Mine mine(const std::string& text) { return Mine::check(actor(text)).value(); }

    struct Added {
        FactorId id;
        Secret key;
        std::vector<std::string> recovery_codes;
    };
    Added add(const std::string& text, std::string name = "Phone") {
        auto made = run(factors->begin(mine(text), std::move(name))).value();
        auto confirmed = run(factors->confirm(mine(text), made.id, code_of(made.key)));
        EXPECT_TRUE(confirmed.has_value());
        Added out{made.id, std::move(made.key), {}};
        for (const auto& one : confirmed->recovery_codes)
            out.recovery_codes.push_back(text_of(one));
        return out;
    }
    Result<NewSession> show(const std::string& text, const std::string& shown) {
        return run(factors->show_code(self(text), shown));
    }
    void demand_factors(UnixMs from_ms) {
        const auto workspace = actor(session()).workspace;
        ASSERT_TRUE(database->write_now([&](store::Transaction& tx) {
            return rows::set_factors_from(tx, workspace, from_ms);
        }));
    }
    void pass(std::int64_t seconds) { clock.now += seconds * 1000; }
};

TEST_F(SecondFactorsTest, password_alone_is_no_longer_enough) {
    (void)owner();
    const auto before = session();
    const auto other = session();
    EXPECT_EQ(actor(before).standing, Standing::whole);
    const auto added = add(before);
    EXPECT_EQ(actor(before).standing, Standing::whole);
    EXPECT_EQ(actor(other).standing, Standing::needs_factor);
    const auto later = session();
    EXPECT_EQ(actor(later).standing, Standing::needs_factor);
    EXPECT_TRUE(fails_with(admit(actor(later), Permission::read_history),
                           IdentityError::second_factor_needed));
    EXPECT_TRUE(fails_with(admit(actor(later), Permission::manage_own_factors),
                           IdentityError::second_factor_needed));
    EXPECT_TRUE(admit(actor(later), Permission::see_self));
    pass(crypto::k_time_step_s);
    auto shown = show(later, code_of(added.key));
    ASSERT_TRUE(shown.has_value());
    const auto whole = text_of(shown->text);
    EXPECT_NE(whole, later);
    EXPECT_EQ(actor(whole).standing, Standing::whole);
    EXPECT_TRUE(actor(whole).is_fresh);
    EXPECT_TRUE(fails_with(run(identity->authenticate_session(later, std::nullopt)),
                           IdentityError::unauthenticated));
}

TEST_F(SecondFactorsTest, session_that_waits_for_its_factor_ends_soon) {
    (void)owner();
    const auto added = add(session());
    const auto signed_in = sign_in();
    EXPECT_EQ(signed_in->expires_at_ms, clock.now + k_half_session_s * 1000);
    pass(crypto::k_time_step_s);
    const auto shown = show(text_of(signed_in->text), code_of(added.key));
    EXPECT_EQ(shown->expires_at_ms, clock.now + (k_session_s - crypto::k_time_step_s) * 1000);
}

TEST_F(SecondFactorsTest, time_code_counts_once_also_after_a_restart_and_a_clock_set_back) {
    (void)owner();
    const auto first = session();
    const auto added = add(first);
    pass(crypto::k_time_step_s);
    const auto shown = code_of(added.key);
    EXPECT_TRUE(show(session(), shown));
    EXPECT_TRUE(fails_with(show(session(), shown), IdentityError::invalid_code));
    restart();
    EXPECT_TRUE(fails_with(show(session(), shown), IdentityError::invalid_code));
    const auto earlier = code_of(added.key, -1);
    EXPECT_TRUE(fails_with(show(session(), earlier), IdentityError::invalid_code));
    clock.now -= 10 * crypto::k_time_step_s * 1000;
    EXPECT_TRUE(fails_with(show(session(), code_of(added.key)), IdentityError::invalid_code));
}

TEST_F(SecondFactorsTest, code_that_confirmed_a_factor_signs_nobody_in) {
    (void)owner();
    const auto first = session();
    const auto made = run(factors->begin(mine(first), "Phone")).value();
    const auto shown = code_of(made.key);
    ASSERT_TRUE(run(factors->confirm(mine(first), made.id, shown)));
    EXPECT_TRUE(fails_with(show(session(), shown), IdentityError::invalid_code));
}

TEST_F(SecondFactorsTest, factor_counts_only_once_it_is_confirmed) {
    (void)owner();
    const auto text = session();
    const auto made = run(factors->begin(mine(text), "Phone")).value();
    EXPECT_TRUE(run(factors->enrolment(see(text)))->factors.empty());
    EXPECT_EQ(actor(session()).standing, Standing::whole);
    EXPECT_TRUE(fails_with(show(text, code_of(made.key)), IdentityError::invalid_code));
    EXPECT_TRUE(fails_with(run(factors->confirm(mine(text), made.id, "000000")),
                           IdentityError::invalid_code));
    pass(k_unconfirmed_s + 1);
    const auto later = session();
    EXPECT_TRUE(fails_with(run(factors->confirm(mine(later), made.id, code_of(made.key))),
                           IdentityError::factor_not_found));
}

TEST_F(SecondFactorsTest, recovery_codes_count_once_each) {
    (void)owner();
    const auto added = add(session());
    ASSERT_EQ(added.recovery_codes.size(), k_recovery_codes);
    const std::set<std::string> distinct(added.recovery_codes.begin(), added.recovery_codes.end());
    EXPECT_EQ(distinct.size(), k_recovery_codes);
    auto typed = added.recovery_codes[3];
    std::erase(typed, '-');
    for (auto& c : typed) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto shown = show(session(), " " + typed + " ");
    ASSERT_TRUE(shown.has_value());
    EXPECT_TRUE(fails_with(show(session(), added.recovery_codes[3]), IdentityError::invalid_code));
    const auto left = run(factors->enrolment(see(text_of(shown->text))))->recovery_codes_left;
    EXPECT_EQ(left, static_cast<std::int64_t>(k_recovery_codes) - 1);
}

TEST_F(SecondFactorsTest, new_recovery_codes_take_the_place_of_the_old) {
    (void)owner();
    const auto text = session();
    EXPECT_TRUE(
        fails_with(run(factors->new_recovery_codes(mine(text))), IdentityError::factor_not_found));
    const auto added = add(text);
    const auto fresh = run(factors->new_recovery_codes(mine(text))).value();
    ASSERT_EQ(fresh.size(), k_recovery_codes);
    EXPECT_TRUE(fails_with(show(session(), added.recovery_codes[0]), IdentityError::invalid_code));
    EXPECT_TRUE(show(session(), text_of(fresh[0])));
}

TEST_F(SecondFactorsTest, guesses_are_slowed_down_and_forgotten_after_a_good_code) {
    (void)owner();
    const auto added = add(session());
    const auto text = session();
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        EXPECT_TRUE(
            fails_with(show(text, "00000" + std::to_string(i)), IdentityError::invalid_code));
    const auto refused = show(text, code_of(added.key, 1));
    EXPECT_TRUE(fails_with(refused, IdentityError::too_many_attempts));
    EXPECT_GT(refused.error().retry_after_s(), 0);
    pass(k_pause_first_s + 1);
    EXPECT_TRUE(show(text, code_of(added.key)));
    const auto again = session();
    EXPECT_TRUE(fails_with(show(again, "000000"), IdentityError::invalid_code));
    EXPECT_TRUE(show(again, added.recovery_codes[0]));
}

TEST_F(SecondFactorsTest, proof_is_fresh_for_five_minutes) {
    (void)owner();
    const auto text = session();
    const auto added = add(text);
    EXPECT_TRUE(admit(actor(text), Permission::cut_off_integrations));
    pass(k_fresh_s + 1);
    EXPECT_TRUE(fails_with(admit(actor(text), Permission::cut_off_integrations),
                           IdentityError::fresh_proof_needed));
    EXPECT_TRUE(admit(actor(text), Permission::close_integrations));
    const auto shown = show(text, code_of(added.key));
    ASSERT_TRUE(shown.has_value());
    EXPECT_TRUE(shown->text.empty());
    EXPECT_TRUE(admit(actor(text), Permission::cut_off_integrations));
    clock.now -= 2 * k_fresh_s * 1000;
    EXPECT_FALSE(actor(text).is_fresh);
}

TEST_F(SecondFactorsTest, password_is_the_proof_of_who_has_no_factor) {
    (void)owner();
    const auto text = session();
    pass(k_fresh_s + 1);
    EXPECT_FALSE(actor(text).is_fresh);
    EXPECT_TRUE(fails_with(run(factors->show_password(self(text), secret_of("another password"))),
                           IdentityError::invalid_credentials));
    EXPECT_FALSE(actor(text).is_fresh);
    ASSERT_TRUE(run(factors->show_password(self(text), secret_of(k_password))));
    EXPECT_TRUE(actor(text).is_fresh);
    (void)add(text);
    EXPECT_TRUE(fails_with(run(factors->show_password(self(text), secret_of(k_password))),
                           IdentityError::second_factor_needed));
}

TEST_F(SecondFactorsTest, workspace_that_demands_a_factor_lets_nobody_in_without) {
    (void)owner();
    const auto text = session();
    demand_factors(clock.now + 60'000);
    EXPECT_EQ(actor(text).standing, Standing::whole);
    pass(60);
    EXPECT_EQ(actor(text).standing, Standing::needs_enrolment);
    EXPECT_TRUE(fails_with(admit(actor(text), Permission::read_history),
                           IdentityError::second_factor_enrolment_needed));
    const auto added = add(text);
    EXPECT_EQ(actor(text).standing, Standing::whole);
    EXPECT_TRUE(fails_with(run(factors->remove(mine(text), added.id)), IdentityError::last_factor));
    const auto second = add(text, "Key");
    EXPECT_TRUE(second.recovery_codes.empty());
    EXPECT_TRUE(run(factors->remove(mine(text), added.id)));
    EXPECT_EQ(run(factors->enrolment(see(text)))->factors.size(), 1U);
}

TEST_F(SecondFactorsTest, last_factor_takes_the_recovery_codes_along) {
    (void)owner();
    const auto text = session();
    const auto added = add(text);
    EXPECT_TRUE(run(factors->remove(mine(text), added.id)));
    EXPECT_EQ(run(factors->enrolment(see(text)))->recovery_codes_left, 0);
    EXPECT_EQ(actor(session()).standing, Standing::whole);
    EXPECT_TRUE(
        fails_with(run(factors->remove(mine(text), added.id)), IdentityError::factor_not_found));
}

TEST_F(SecondFactorsTest, names_are_shown_as_they_were_given) {
    (void)owner();
    const auto text = session();
    (void)add(text, "Olga's phone \xF0\x9F\x93\xB1");
    const auto listed = run(factors->enrolment(see(text)));
    ASSERT_EQ(listed->factors.size(), 1U);
    EXPECT_EQ(listed->factors[0].name, "Olga's phone \xF0\x9F\x93\xB1");
    EXPECT_EQ(listed->factors[0].used_at_ms, clock.now);
    for (const auto& wrong : {std::string(), std::string("a\nb"), std::string(201, 'x')}) {
        EXPECT_TRUE(
            fails_with(run(factors->begin(mine(text), wrong)), IdentityError::invalid_name));
    }
}

TEST_F(SecondFactorsTest, number_of_factors_is_bounded) {
    (void)owner();
    const auto text = session();
    for (std::size_t i = 0; i < k_factors_max; ++i)
        ASSERT_TRUE(run(factors->begin(mine(text), "Phone")));
    EXPECT_TRUE(
        fails_with(run(factors->begin(mine(text), "Phone")), IdentityError::too_many_factors));
    pass(k_unconfirmed_s + 1);
    EXPECT_TRUE(run(factors->begin(mine(session()), "Phone")));
}

TEST_F(SecondFactorsTest, tokens_have_no_factors) {
    const auto token = owner();
    const auto actor = run(identity->authenticate_token(text_of(token.text))).value();
    EXPECT_TRUE(fails_with(See::check(actor), IdentityError::person_needed));
    EXPECT_TRUE(fails_with(Mine::check(actor), IdentityError::person_needed));
    const auto itself = Self::check(actor).value();
    EXPECT_TRUE(
        fails_with(run(factors->show_code(itself, "000000")), IdentityError::person_needed));
    EXPECT_TRUE(fails_with(run(factors->show_password(itself, secret_of(k_password))),
                           IdentityError::person_needed));
}

TEST_F(SecondFactorsTest, key_is_taken_in_by_an_app) {
    (void)owner();
    const auto made = run(factors->begin(mine(session()), "Phone")).value();
    const auto key = text_of(made.key);
    EXPECT_EQ(key.size(), 32U);
    EXPECT_EQ(text_of(made.uri),
              "otpauth://totp/Postern:olga%40brand.example?issuer=Postern&secret=" + key);
}

}  // namespace
}  // namespace postern::identity::test
