#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/throttle.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/password.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

using store::fails_with;
using test::k_email;
using test::k_password;
using test::secret_of;
using test::text_of;

class SignInTest : public test::IdentityLab {
protected:
    SignInTest() : made(owner()) {}

    Result<Actor> authenticate(const std::string& text,
                               std::optional<WorkspaceId> workspace = std::nullopt) {
        return run(identity->authenticate_session(text, workspace));
    }
    std::int64_t attempts_stored() {
        return database
            ->read_now([](store::Transaction& tx) -> Result<std::int64_t> {
                POSTERN_TRY(const auto row, tx.query_one("SELECT COUNT(*) FROM sign_in_attempts"));
                return row->integer(0);
            })
            .value();
    }

    NewToken made;
};

TEST_F(SignInTest, right_password_gives_a_session_of_the_only_workspace) {
    const auto session = sign_in().value();
    const auto actor = authenticate(text_of(session.text)).value();
    EXPECT_EQ(actor.workspace, made.workspace);
    EXPECT_EQ(actor.role, Role::owner);
    EXPECT_EQ(actor.person, session.person);
    EXPECT_EQ(run(identity->me(actor)).value().email, k_email);
}

TEST_F(SignInTest, address_is_compared_without_case_and_the_password_byte_for_byte) {
    EXPECT_TRUE(sign_in("OLGA@Brand.Example").has_value());
    for (const std::string wrong :
         {"Correct horse battery staple", "correct horse battery staple ",
          " correct horse battery staple", "", "correct horse battery stapl"}) {
        EXPECT_TRUE(fails_with(sign_in(k_email, wrong), IdentityError::invalid_credentials));
        clock.pass_s(k_pause_max_s);
    }
}

TEST_F(SignInTest, unknown_person_gets_the_same_answer_for_the_same_work) {
    const auto before_known = keeper.macs_computed;
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong password"), IdentityError::invalid_credentials));
    const auto before_unknown = keeper.macs_computed;
    EXPECT_TRUE(
        fails_with(sign_in("nobody@brand.example", "x"), IdentityError::invalid_credentials));
    // One call more instead of opening a stored hash.
    EXPECT_EQ(keeper.macs_computed - before_unknown, before_unknown - before_known + 1);
    EXPECT_TRUE(
        fails_with(sign_in(std::string(10'000, 'a'), "x"), IdentityError::invalid_credentials));
}

TEST_F(SignInTest, dummy_hash_has_the_form_of_a_real_one) {
    const crypto::Argon2Cost cost{.passes = 2, .memory_kib = 128};
    const auto real = crypto::hash_password(secret_of(k_password), cost).value();
    const auto dummy = dummy_password_hash(cost);
    EXPECT_EQ(dummy.size(), real.size());
    constexpr std::size_t k_parameters = 31;  // "$argon2id$v=19$m=128,t=2,p=1$" and a bit of salt
    EXPECT_EQ(dummy.substr(0, k_parameters - 2), real.substr(0, k_parameters - 2));
    EXPECT_FALSE(crypto::verify_password(dummy, secret_of(k_password)));
}

TEST_F(SignInTest, attempts_run_into_a_pause_that_names_its_end_and_survives_a_restart) {
    for (std::int64_t i = 0; i < k_free_attempts; ++i) {
        EXPECT_TRUE(
            fails_with(sign_in(k_email, "wrong guess"), IdentityError::invalid_credentials));
    }
    restart();
    const auto refused = sign_in();
    ASSERT_TRUE(fails_with(refused, IdentityError::too_many_attempts));
    EXPECT_EQ(refused.error().retry_after_s(), k_pause_first_s);
    clock.pass_s(k_pause_first_s - 1);
    EXPECT_EQ(sign_in().error().retry_after_s(), 1);
    clock.pass_s(1);
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong"), IdentityError::invalid_credentials));
}

TEST_F(SignInTest, guesses_from_one_network_at_many_addresses_run_into_a_pause) {
    const auto guess = [this](std::int64_t number, std::string_view from) {
        return sign_in("person" + std::to_string(number) + "@brand.example", "Spring2026!", from);
    };
    for (std::int64_t i = 0; i < k_wrong_at_place_max; ++i)
        ASSERT_TRUE(fails_with(guess(i, "192.0.2.7"), IdentityError::invalid_credentials)) << i;
    const auto refused = guess(-1, "192.0.2.99");
    ASSERT_TRUE(fails_with(refused, IdentityError::too_many_attempts));
    EXPECT_EQ(refused.error().retry_after_s(), k_wrong_stretch_s);
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::too_many_attempts));
    // Others are elsewhere, and get in.
    EXPECT_TRUE(sign_in(k_email, k_password, "198.51.100.1").has_value());
    clock.pass_s(k_wrong_stretch_s);
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(SignInTest, what_is_right_or_not_looked_at_uses_up_nothing_of_a_network) {
    for (std::int64_t i = 0; i < 2 * k_wrong_at_place_max; ++i)
        ASSERT_TRUE(sign_in().has_value()) << i;
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        ASSERT_TRUE(fails_with(sign_in(k_email, "wrong"), IdentityError::invalid_credentials));
    // The address has its own pause by now: these are not looked at.
    for (std::int64_t i = 0; i < 2 * k_wrong_at_place_max; ++i) {
        const auto paused = sign_in(k_email, "wrong");
        ASSERT_TRUE(fails_with(paused, IdentityError::too_many_attempts));
        EXPECT_LE(paused.error().retry_after_s(), k_pause_first_s);
    }
    EXPECT_TRUE(fails_with(sign_in("maya@brand.example", "x"), IdentityError::invalid_credentials));
}

TEST_F(SignInTest, refused_attempts_do_not_make_the_pause_longer) {
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        static_cast<void>(sign_in(k_email, "wrong guess"));
    for (int i = 0; i < 50; ++i)
        static_cast<void>(sign_in(k_email, "wrong guess"));
    clock.pass_s(k_pause_first_s);
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(SignInTest, attempts_at_somebody_else_are_counted_alone) {
    for (std::int64_t i = 0; i < k_free_attempts; ++i)
        static_cast<void>(sign_in("nobody@brand.example", "wrong"));
    EXPECT_TRUE(
        fails_with(sign_in("nobody@brand.example", "wrong"), IdentityError::too_many_attempts));
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(SignInTest, more_sign_ins_than_the_queue_takes_are_told_to_come_back) {
    std::vector<std::optional<Result<NewSession>>> outcomes(k_sign_ins_waiting_max * 4);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        // Each from a network of its own, whose budget is not what turns it away.
        Client client{"198.51." + std::to_string(i) + ".1", ""};
        loop.start(identity->sign_in("p" + std::to_string(i) + "@brand.example", secret_of("x"),
                                     std::move(client)),
                   outcomes[i]);
    }
    loop.run_until([&] {
        return std::all_of(outcomes.begin(), outcomes.end(), [](const auto& o) { return !!o; });
    });
    for (const auto& outcome : outcomes) {
        const auto& error = outcome->error();
        EXPECT_TRUE(error.is(async::AsyncError::busy) ||
                    error.is(IdentityError::invalid_credentials));
    }
}

TEST_F(SignInTest, password_that_was_not_looked_at_is_no_try) {
    std::latch begun(1);
    std::latch held(1);
    const auto hold = [](async::BlockingPool* pool, std::latch* first, std::latch* until,
                         bool is_first) -> async::Task<> {
        auto job = [first, until, is_first]() -> Result<> {
            if (is_first) first->count_down();
            until->wait();
            return {};
        };
        co_return co_await pool->run(std::move(job));
    };
    std::vector<std::optional<Result<>>> others(1 + k_sign_ins_waiting_max);
    loop.start(hold(&passwords, &begun, &held, true), others[0]);
    loop.settle();
    begun.wait();
    for (std::size_t i = 1; i < others.size(); ++i)
        loop.start(hold(&passwords, &begun, &held, false), others[i]);
    loop.settle();
    for (std::int64_t i = 0; i < 2 * k_free_attempts; ++i)
        EXPECT_TRUE(fails_with(sign_in(k_email, "wrong"), async::AsyncError::busy));
    for (int i = 0; i < 20; ++i) {
        const auto nobody = "p" + std::to_string(i) + "@brand.example";
        EXPECT_TRUE(fails_with(sign_in(nobody, "wrong"), async::AsyncError::busy));
    }
    EXPECT_EQ(attempts_stored(), 0);
    held.count_down();
    loop.run_until(
        [&] { return std::ranges::all_of(others, [](const auto& o) { return o.has_value(); }); });
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(SignInTest, session_ends_after_its_time_and_at_sign_out) {
    const auto first = text_of(sign_in().value().text);
    const auto second = text_of(sign_in().value().text);
    const auto actor = authenticate(first).value();
    EXPECT_TRUE(run(identity->sign_out(actor)).has_value());
    EXPECT_TRUE(fails_with(authenticate(first), IdentityError::unauthenticated));
    EXPECT_TRUE(fails_with(run(identity->check_again(actor)), IdentityError::unauthenticated));
    EXPECT_TRUE(authenticate(second).has_value());
    clock.pass_s(k_session_s);
    EXPECT_TRUE(fails_with(authenticate(second), IdentityError::unauthenticated));
}

TEST_F(SignInTest, session_names_a_workspace_it_belongs_to) {
    const auto text = text_of(sign_in().value().text);
    EXPECT_TRUE(authenticate(text, made.workspace).has_value());
    const auto other = create_token("Other").value();
    EXPECT_TRUE(fails_with(authenticate(text, other.workspace), IdentityError::no_workspace));
    const auto person = authenticate(text).value().person.value();
    const Membership second{other.workspace, person, Role::reader, clock.now};
    const auto body = [second](store::Transaction& tx) {
        return rows::insert_membership(tx, second);
    };
    ASSERT_TRUE(database->write_now(body).has_value());
    EXPECT_TRUE(fails_with(authenticate(text), IdentityError::workspace_needed));
    EXPECT_EQ(authenticate(text, other.workspace).value().role, Role::reader);
}

TEST_F(SignInTest, an_api_token_is_no_session_and_a_session_no_api_token) {
    const auto session = text_of(sign_in().value().text);
    EXPECT_TRUE(fails_with(authenticate(text_of(made.text)), IdentityError::unauthenticated));
    EXPECT_TRUE(
        fails_with(run(identity->authenticate_token(session)), IdentityError::unauthenticated));
    for (const std::string wrong : {"", "pss_", "pss_x", "; drop"}) {
        EXPECT_TRUE(fails_with(authenticate(wrong), IdentityError::unauthenticated));
    }
}

}  // namespace
}  // namespace postern::identity
