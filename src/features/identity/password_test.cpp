#include "foundation/crypto/password.h"

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/identity_store.h"
#include "features/identity/password_rules.h"
#include "features/identity/throttle.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <cstdint>
#include <latch>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {
namespace {

using store::fails_with;
using test::k_email;
using test::k_password;
using test::secret_of;
using test::text_of;

constexpr std::string_view k_next = "another horse, another battery";

class PasswordTest : public test::IdentityLab {
protected:
    PasswordTest() : made(owner()) {
        first = text_of(sign_in().value().text);
        actor = authenticate(first).value();
    }

    Result<Actor> authenticate(const std::string& text) {
        return run(identity->authenticate_session(text, std::nullopt));
    }
    Result<NewSession> change(std::string_view current, std::string_view next) {
        Identity::PasswordChange ask{secret_of(current), secret_of(next)};
        auto asks = Authorized<Permission::change_own_password>::check(actor);
        if (!asks) return fail(std::move(asks.error()));
        return run(identity->change_password(*asks, std::move(ask)));
    }
    /// Changes it and goes on with the new session.
    void change_well(std::string_view current, std::string_view next) {
        const auto changed = change(current, next);
        ASSERT_TRUE(changed) << changed.error().text();
        actor = authenticate(text_of(changed->text)).value();
    }
    PersonRow row() {
        const auto body = [id = actor.person.value()](store::Transaction& tx) {
            return rows::find_person(tx, id);
        };
        return database->read_now(body).value().value();
    }
    /// What the played keeper sealed is readable.
    crypto::Argon2Cost stored_cost() {
        const auto person = row();
        const auto text = as_text(person.password.view());
        return crypto::cost_of_hash(text.substr(text.find("$argon2id"))).value();
    }
    void restart_with(crypto::Argon2Cost today) {
        todays_cost = today;
        restart();
    }
    Result<> statement(store::SqlText sql) {
        const auto body = [sql](store::Transaction& tx) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto done, tx.execute(sql, {}));
            return {};
        };
        return database->write_now(body);
    }

    NewToken made;
    std::string first;  ///< session
    Actor actor;        ///< its
};

TEST_F(PasswordTest, stored_hash_is_raised_at_the_next_sign_in_that_succeeds) {
    restart_with({.passes = 2, .memory_kib = 128});
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong guess"), IdentityError::invalid_credentials));
    EXPECT_EQ(stored_cost().memory_kib, 64U);
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_EQ(stored_cost().memory_kib, 128U);
    EXPECT_EQ(stored_cost().passes, 2U);
    const auto raised = row().password;
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_EQ(row().password, raised);
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong guess"), IdentityError::invalid_credentials));
}

TEST_F(PasswordTest, stored_hash_is_never_lowered) {
    restart_with({.passes = 2, .memory_kib = 128});
    EXPECT_TRUE(sign_in().has_value());
    restart_with({.passes = 1, .memory_kib = 64});
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_EQ(stored_cost().memory_kib, 128U);
    restart_with({.passes = 3, .memory_kib = 64});
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_EQ(stored_cost().memory_kib, 128U);
    EXPECT_EQ(stored_cost().passes, 3U);
}

TEST_F(PasswordTest, without_the_session_there_is_no_raised_hash) {
    restart_with({.passes = 2, .memory_kib = 128});
    ASSERT_TRUE(statement("ALTER TABLE sessions RENAME TO sessions_away").has_value());
    EXPECT_FALSE(sign_in().has_value());
    ASSERT_TRUE(statement("ALTER TABLE sessions_away RENAME TO sessions").has_value());
    EXPECT_EQ(stored_cost().memory_kib, 64U);
    EXPECT_TRUE(sign_in().has_value());
    EXPECT_EQ(stored_cost().memory_kib, 128U);
}

TEST_F(PasswordTest, two_at_once_raise_one_hash) {
    restart_with({.passes = 2, .memory_kib = 128});
    std::optional<Result<NewSession>> outcomes[2];
    for (auto& outcome : outcomes)
        loop.start(identity->sign_in(std::string(k_email), secret_of(k_password), {}), outcome);
    loop.run_until([&] { return outcomes[0] && outcomes[1]; });
    EXPECT_TRUE(outcomes[0]->has_value() || outcomes[1]->has_value());
    for (const auto& outcome : outcomes)
        EXPECT_TRUE(*outcome || outcome->error().is(async::AsyncError::busy));
    EXPECT_EQ(stored_cost().memory_kib, 128U);
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(PasswordTest, change_ends_every_other_session_and_goes_on_under_a_new_text) {
    const auto second = text_of(sign_in().value().text);
    const auto endings = identity->endings();
    clock.pass_s(3600);
    const auto changed = change(k_password, k_next).value();
    EXPECT_GT(identity->endings(), endings);
    EXPECT_EQ(changed.expires_at_ms, clock.now + (k_session_s - 3600) * 1000);
    EXPECT_TRUE(fails_with(authenticate(first), IdentityError::unauthenticated));
    EXPECT_TRUE(fails_with(authenticate(second), IdentityError::unauthenticated));
    EXPECT_TRUE(fails_with(run(identity->check_again(actor)), IdentityError::unauthenticated));
    const auto now = authenticate(text_of(changed.text)).value();
    EXPECT_EQ(now.person, actor.person);
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::invalid_credentials));
    EXPECT_TRUE(sign_in(k_email, k_next).has_value());
    clock.pass_s(k_session_s - 3600);
    EXPECT_TRUE(fails_with(authenticate(text_of(changed.text)), IdentityError::unauthenticated));
}

TEST_F(PasswordTest, sessions_of_other_people_and_api_tokens_go_on) {
    PersonRow other = row();
    other.id = PersonId::make(7);
    other.address_token.push_back(1);
    SessionRow session;
    session.token_hash.fill(7);
    session.person = other.id;
    session.expires_at_ms = clock.now + 60'000;
    const auto body = [other, session](store::Transaction& tx) -> Result<> {
        if (auto done = rows::insert_person(tx, other); !done) return done;
        return rows::insert_session(tx, session);
    };
    ASSERT_TRUE(database->write_now(body).has_value());
    change_well(k_password, k_next);
    const auto find = [session](store::Transaction& tx) {
        return rows::find_session(tx, session.token_hash);
    };
    EXPECT_TRUE(database->read_now(find).value().has_value());
    EXPECT_TRUE(run(identity->authenticate_token(text_of(made.text))).has_value());
}

TEST_F(PasswordTest, api_token_changes_no_password) {
    actor = run(identity->authenticate_token(text_of(made.text))).value();
    EXPECT_TRUE(fails_with(change(k_password, k_next), IdentityError::person_needed));
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(PasswordTest, wrong_current_one_counts_as_a_sign_in_does) {
    for (std::int64_t i = 0; i < k_free_attempts; ++i) {
        EXPECT_TRUE(fails_with(change("wrong guess", k_next), IdentityError::invalid_credentials));
    }
    EXPECT_TRUE(fails_with(change(k_password, k_next), IdentityError::too_many_attempts));
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::too_many_attempts));
    EXPECT_TRUE(authenticate(first).has_value());
    clock.pass_s(k_pause_first_s);
    change_well(k_password, k_next);
    // The count went with the change.
    EXPECT_TRUE(fails_with(sign_in(k_email, "wrong"), IdentityError::invalid_credentials));
    EXPECT_TRUE(sign_in(k_email, k_next).has_value());
}

TEST_F(PasswordTest, weak_new_one_is_refused_before_the_current_one_is_looked_at) {
    const std::pair<std::string_view, IdentityError> cases[] = {
        {"elevenchars", IdentityError::password_too_short},
        {"aaaaaaaaaaaaaaaa", IdentityError::password_is_one_character},
        {"QWERTY123456", IdentityError::password_too_common},
        {"Olga@Brand.Example", IdentityError::password_is_address},
    };
    for (int i = 0; i < 2 * k_free_attempts; ++i) {
        for (const auto& [weak, reason] : cases)
            EXPECT_TRUE(fails_with(change("wrong guess", weak), reason)) << weak;
    }
    EXPECT_TRUE(authenticate(first).has_value());
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(PasswordTest, names_of_the_person_are_refused_at_set_up) {
    test::IdentityLab::restart();
    const auto body = [](store::Transaction& tx) -> Result<> {
        constexpr store::SqlText k_forget = "DELETE FROM meta WHERE name = 'setup_done'";
        POSTERN_TRY([[maybe_unused]] const auto done, tx.execute(k_forget, {}));
        return {};
    };
    ASSERT_TRUE(database->write_now(body).has_value());
    const auto token = setup_token();
    const auto ask = [&](std::string_view password) {
        return set_up(token, "ida@brand.example", password, "Brand of Two");
    };
    EXPECT_TRUE(fails_with(ask("IDA@brand.example"), IdentityError::password_is_address));
    EXPECT_TRUE(fails_with(ask("brand of two"), IdentityError::password_is_workspace_name));
    EXPECT_TRUE(fails_with(ask("leavemealone"), IdentityError::password_too_common));
    EXPECT_TRUE(fails_with(ask("too short"), IdentityError::password_too_short));
    EXPECT_TRUE(ask("brand of two, and a horse").has_value());
}

TEST_F(PasswordTest, passwords_are_kept_exactly_as_typed) {
    const std::string with_nul("correct horse\0 battery", 22);
    const std::string cut("correct horse");
    const std::string composed("caf\xC3\xA9 del mar 1987");
    const std::string apart("cafe\xCC\x81 del mar 1987");
    const auto longest = "b" + std::string(k_password_bytes_max - 1, 'a');
    std::string current(k_password);
    const std::pair<std::string, std::string> cases[] = {
        {with_nul, cut},
        {composed, apart},
        {apart, composed},
        {longest, longest.substr(0, longest.size() - 1)},
        {" spaces at both ends ", "spaces at both ends"},
    };
    for (const auto& [typed, other] : cases) {
        change_well(current, typed);
        EXPECT_TRUE(fails_with(sign_in(k_email, other), IdentityError::invalid_credentials));
        EXPECT_TRUE(sign_in(k_email, typed).has_value()) << typed;
        current = typed;
    }
    EXPECT_TRUE(fails_with(change(current, longest + "a"), IdentityError::password_too_long));
}

/// Keeps the one thread of the pool until `until` is down.
async::Task<> hold(async::BlockingPool* pool, std::latch* begun, std::latch* until) {
    auto job = [begun, until]() -> Result<> {
        begun->count_down();
        until->wait();
        return {};
    };
    co_return co_await pool->run(std::move(job));
}

TEST_F(PasswordTest, sign_in_with_the_password_of_before_gets_no_session) {
    std::latch begun(1);
    std::latch held(1);
    std::optional<Result<>> holding;
    std::optional<Result<NewSession>> outcome;
    loop.start(hold(&passwords, &begun, &held), holding);
    loop.settle();
    begun.wait();
    const auto opened = keeper.records_opened;
    loop.start(identity->sign_in(std::string(k_email), secret_of(k_password), {}), outcome);
    // The stored hash is the last thing that is asked for before the pool.
    loop.run_until([&] { return keeper.records_opened == opened + 1; });
    loop.settle();
    const auto before = row();
    auto changed = before;
    changed.password = store::SealedBytes(Bytes{1, 2, 3});
    const auto body = [&before, &changed](store::Transaction& tx) {
        return rows::replace_password(tx, {before.id, before.password, changed.password});
    };
    EXPECT_EQ(database->write_now(body).value(), 1);
    held.count_down();
    loop.run_until([&] { return outcome && holding; });
    EXPECT_TRUE(fails_with(*outcome, async::AsyncError::busy));
    EXPECT_EQ(row().password, changed.password);
}

TEST_F(PasswordTest, change_that_another_one_overtook_changes_nothing) {
    std::latch begun(1);
    std::latch held(1);
    std::optional<Result<>> holding;
    std::optional<Result<NewSession>> outcomes[2];
    loop.start(hold(&passwords, &begun, &held), holding);
    loop.settle();
    begun.wait();
    const std::string_view wanted[] = {k_next, "a third horse with a battery"};
    const auto opened = keeper.records_opened;
    for (std::size_t i = 0; i < 2; ++i) {
        Identity::PasswordChange ask{secret_of(k_password), secret_of(wanted[i])};
        loop.start(identity->change_password(
                       *Authorized<Permission::change_own_password>::check(actor), std::move(ask)),
                   outcomes[i]);
    }
    // Name, address and stored hash of each: then both wait for the pool.
    loop.run_until([&] { return keeper.records_opened == opened + 6; });
    loop.settle();
    held.count_down();
    loop.run_until([&] { return outcomes[0] && outcomes[1]; });
    const std::size_t winner = outcomes[0]->has_value() ? 0 : 1;
    ASSERT_TRUE(outcomes[winner]->has_value());
    // By then the session has another text.
    EXPECT_TRUE(fails_with(*outcomes[1 - winner], IdentityError::unauthenticated));
    EXPECT_TRUE(
        fails_with(sign_in(k_email, wanted[1 - winner]), IdentityError::invalid_credentials));
    EXPECT_TRUE(sign_in(k_email, wanted[winner]).has_value());
}

}  // namespace
}  // namespace postern::identity
