// A clock that jumps, by more than a year to either side and back: nothing becomes fresh, good or
// unexpired by it that was not, and nobody is shut out for as long.
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/second_factors.h"
#include "features/identity/throttle.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;
using Self = SecondFactors::Self;
using Mine = SecondFactors::Mine;

constexpr UnixMs k_jump_ms = 400LL * 24 * 3600 * 1000;

class ClockMovedTest : public IdentityLab {
protected:
    ClockMovedTest() {
        clock.now += 2 * k_jump_ms;
        (void)owner();
    }
    std::string session() { return text_of(sign_in().value().text); }
    Result<Actor> actor(const std::string& text) {
        return run(identity->authenticate_session(text, std::nullopt));
    }
    bool is_good(const std::string& text) { return actor(text).has_value(); }
    Result<NewSession> show(const std::string& text, const std::string& code) {
        return run(factors->show_code(Self::check(actor(text).value()).value(), code));
    }
    bool token_is_good(const Secret& text) {
        return run(identity->authenticate_token(text_of(text))).has_value();
    }
    Secret token_for(std::int64_t seconds) {
        const auto owner_now = actor(session()).value();
        const auto who = Authorized<Permission::manage_tokens>::check(owner_now).value();
        Identity::TokenWish wish;
        wish.lasts_s = seconds;
        return run(identity->create_token(who, std::move(wish))).value().text;
    }
};

TEST_F(ClockMovedTest, session_that_was_over_is_so_with_a_clock_that_was_set_back) {
    const auto old = session();
    const auto watched = actor(old).value();
    clock.now += k_session_s * 1000;
    ASSERT_FALSE(is_good(old));
    clock.now -= k_jump_ms;
    EXPECT_FALSE(is_good(old));
    EXPECT_TRUE(fails_with(run(identity->check_again(watched)), IdentityError::unauthenticated));
}

TEST_F(ClockMovedTest, session_of_a_clock_that_ran_ahead_ends_with_that) {
    clock.now += k_jump_ms;
    const auto ahead = session();
    ASSERT_TRUE(is_good(ahead));
    clock.now -= k_jump_ms;
    EXPECT_FALSE(is_good(ahead));
    EXPECT_TRUE(is_good(session()));
}

TEST_F(ClockMovedTest, session_seen_by_a_clock_that_ran_ahead_is_not_kept_by_that) {
    const auto seen = session();
    clock.now += 3600 * 1000;
    ASSERT_TRUE(is_good(seen));
    clock.now -= 3600 * 1000;
    EXPECT_FALSE(is_good(seen));
}

TEST_F(ClockMovedTest, small_corrections_end_nothing) {
    const auto text = session();
    clock.now -= k_clock_set_back_max_s * 1000;
    EXPECT_TRUE(is_good(text));
    --clock.now;
    EXPECT_FALSE(is_good(text));
    clock.now += k_clock_set_back_max_s * 1000;
    EXPECT_TRUE(is_good(text));
}

TEST_F(ClockMovedTest, nothing_is_fresh_by_a_clock_that_was_set_back) {
    const auto text = session();
    ASSERT_TRUE(actor(text).value().is_fresh);
    clock.now += k_fresh_s * 1000 + 1;
    ASSERT_FALSE(actor(text).value().is_fresh);
    const auto stale = actor(text).value();
    for (const auto back_ms : {k_fresh_s * 1000 + 2, k_fresh_s * 1500}) {
        clock.now -= back_ms;
        EXPECT_FALSE(actor(text).value().is_fresh) << back_ms;
        clock.now += back_ms;
    }
    EXPECT_TRUE(fails_with(Mine::check(stale), IdentityError::fresh_proof_needed));
}

TEST_F(ClockMovedTest, pause_after_guesses_of_a_clock_that_ran_ahead_is_no_years) {
    clock.now += k_jump_ms;
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        EXPECT_TRUE(fails_with(sign_in(k_email, "wrong"), IdentityError::invalid_credentials));
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::too_many_attempts));
    clock.now -= k_jump_ms;
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(ClockMovedTest, guesses_go_on_being_slowed_down_after_the_clock_was_set_back) {
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        (void)sign_in(k_email, "wrong");
    clock.now -= k_jump_ms;
    // The one that finds the clock out is looked at, and counts as the next.
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong"), IdentityError::invalid_credentials));
    const auto refused = sign_in(k_email, "wrong");
    ASSERT_TRUE(fails_with(refused, IdentityError::too_many_attempts));
    EXPECT_LE(refused.error().retry_after_s(), k_pause_max_s);
    EXPECT_GT(refused.error().retry_after_s(), 0);
}

TEST_F(ClockMovedTest, token_that_ended_has_ended_whatever_the_clock) {
    const auto short_lived = token_for(3600);
    const auto lasting = token_for(0);
    clock.now += 3600 * 1000;
    ASSERT_FALSE(token_is_good(short_lived));
    clock.now -= k_jump_ms;
    EXPECT_FALSE(token_is_good(short_lived));
    EXPECT_TRUE(token_is_good(lasting));
    clock.now += 2 * k_jump_ms;
    EXPECT_FALSE(token_is_good(short_lived));
    EXPECT_TRUE(token_is_good(lasting));
}

TEST_F(ClockMovedTest, token_of_a_clock_that_ran_ahead_lasts_no_longer_for_it) {
    clock.now += k_jump_ms;
    const auto ahead = token_for(3600);
    ASSERT_TRUE(token_is_good(ahead));
    clock.now -= k_jump_ms;
    EXPECT_FALSE(token_is_good(ahead));
}

TEST_F(ClockMovedTest, time_codes_count_once_and_recovery_codes_let_in_until_it_has_caught_up) {
    const auto text = session();
    auto made = run(factors->begin(Mine::check(actor(text).value()).value(), "Phone")).value();
    const auto first =
        run(factors->confirm(Mine::check(actor(text).value()).value(), made.id, code_of(made.key)));
    ASSERT_TRUE(first.has_value());
    clock.now += k_jump_ms;
    const auto ahead_code = code_of(made.key);
    ASSERT_TRUE(show(session(), ahead_code).has_value());
    clock.now -= k_jump_ms;
    EXPECT_TRUE(fails_with(show(session(), code_of(made.key, 1)), IdentityError::invalid_code));
    EXPECT_TRUE(show(session(), text_of(first->recovery_codes[0])).has_value());
    EXPECT_TRUE(fails_with(show(session(), text_of(first->recovery_codes[0])),
                           IdentityError::invalid_code));
    clock.now += k_jump_ms;
    EXPECT_TRUE(fails_with(show(session(), ahead_code), IdentityError::invalid_code));
    EXPECT_TRUE(show(session(), code_of(made.key, 1)).has_value());
}

TEST_F(ClockMovedTest, factor_that_nobody_confirmed_in_time_stays_unconfirmed) {
    auto text = session();
    auto made = run(factors->begin(Mine::check(actor(text).value()).value(), "Phone")).value();
    clock.now -= k_jump_ms;
    text = session();
    EXPECT_TRUE(fails_with(
        run(factors->confirm(Mine::check(actor(text).value()).value(), made.id, code_of(made.key))),
        IdentityError::factor_not_found));
}

class SetUpClockTest : public IdentityLab {};

TEST_F(SetUpClockTest, link_that_has_expired_is_not_good_again) {
    clock.now += 2 * k_jump_ms;
    const auto link = setup_token();
    clock.now += k_setup_token_s * 1000;
    ASSERT_TRUE(fails_with(set_up(link), IdentityError::setup_token_invalid));
    clock.now -= k_jump_ms;
    EXPECT_TRUE(fails_with(set_up(link), IdentityError::setup_token_invalid));
    EXPECT_TRUE(set_up(setup_token()).has_value());
}

}  // namespace
}  // namespace postern::identity::test
