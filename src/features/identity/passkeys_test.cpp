#include "features/identity/passkeys.h"

#include "features/identity/actor.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/identity_store.h"
#include "features/identity/played_authenticator_test.h"
#include "features/identity/policy.h"
#include "features/identity/second_factors.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/audit_log.h"
#include "platform/net/ip_address.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;

class PasskeysTest : public IdentityLab {
protected:
    PasskeysTest() { workspace = owner().workspace; }

    std::string session() { return text_of(sign_in().value().text); }
    Actor actor(const std::string& text) {
        return run(identity->authenticate_session(text, std::nullopt)).value();
    }
    Passkeys::Mine mine(const std::string& text) {
        return Passkeys::Mine::check(actor(text)).value();
    }
    Passkeys::Self self(const std::string& text) {
        return Passkeys::Self::check(actor(text)).value();
    }
    CreationOptions creation_options(const std::string& text) {
        return run(passkeys->creation_options(mine(text))).value();
    }
    Result<Confirmed> register_with(const std::string& text, NewPasskey made) {
        return run(passkeys->add(mine(text), std::move(made), k_party));
    }
    Confirmed add(const std::string& text, PlayedAuthenticator& key) {
        return register_with(text, key.make(creation_options(text))).value();
    }
    Bytes challenge_for(const std::string& text) {
        return run(passkeys->request_options(self(text)))->challenge;
    }
    Result<NewSession> show(const std::string& text, ShownPasskey shown) {
        return run(passkeys->show(self(text), std::move(shown), k_party));
    }
    Bytes open_challenge(const char* from = "192.0.2.7") {
        return run(passkeys->sign_in_challenge(net::IpAddress::parse(from).value())).value();
    }
    Result<NewSession> sign_in_with(ShownPasskey shown, const char* from = "192.0.2.7") {
        Passkeys::SignIn ask{std::move(shown),
                             k_party,
                             {from, "Firefox on a Mac"},
                             net::IpAddress::parse(from).value()};
        return run(passkeys->sign_in(std::move(ask)));
    }
    Result<NewSession> sign_in_with(PlayedAuthenticator& key) {
        return sign_in_with(key.sign(open_challenge()));
    }
    audit::Record newest(WorkspaceId of) {
        return run(audit_log->search(of, {}, 1))->records.at(0);
    }
    audit::Record newest() { return newest(workspace); }
    /// Of the newest record that tells of a refusal.
    std::string reason() {
        const auto facts = newest().facts;
        const auto at = facts.find(R"("reason":")");
        if (at == std::string::npos) return "none: " + newest().action + facts;
        return facts.substr(at + 10, facts.find('"', at + 10) - at - 10);
    }
    PersonId another_person() {
        PersonRow row;
        row.id = PersonId::make(clock.now + 1);
        row.address_token = Bytes(32, 9);
        EXPECT_TRUE(database->write_now([&](store::Transaction& tx) -> Result<> {
            auto made = rows::insert_person(tx, row);
            if (!made) return made;
            return rows::insert_membership(tx, {workspace, row.id, Role::reader, clock.now});
        }));
        return row.id;
    }
    void move_keys_to(PersonId person) {
        ASSERT_TRUE(database->write_now([&](store::Transaction& tx) {
            return store::done(
                tx.execute(store::SqlText("UPDATE factors SET person_id = $1"), {person}));
        }));
    }

    WorkspaceId workspace;
};

TEST_F(PasskeysTest, counts_as_a_second_factor_at_once) {
    const auto text = session();
    const auto other = session();
    PlayedAuthenticator key;
    const auto confirmed = add(text, key);
    EXPECT_EQ(confirmed.factor.name, "Key");
    EXPECT_EQ(confirmed.recovery_codes.size(), k_recovery_codes);
    EXPECT_EQ(newest().action, "factor.added");
    EXPECT_EQ(actor(text).standing, Standing::whole);
    EXPECT_EQ(actor(other).standing, Standing::needs_factor);
    const auto listed = run(factors->enrolment(SecondFactors::See::check(actor(text)).value()));
    ASSERT_EQ(listed->factors.size(), 1U);
    EXPECT_EQ(listed->factors[0].kind, FactorKind::passkey);
    EXPECT_EQ(listed->factors[0].name, "Key");
    PlayedAuthenticator second;
    EXPECT_TRUE(add(text, second).recovery_codes.empty());
}

TEST_F(PasskeysTest, opens_a_half_session_without_verifying_its_user) {
    PlayedAuthenticator key;
    key.verifies_user = false;
    add(session(), key);
    const auto half = session();
    const auto shown = show(half, key.sign(challenge_for(half), false));
    ASSERT_TRUE(shown.has_value());
    const auto whole = text_of(shown->text);
    EXPECT_EQ(actor(whole).standing, Standing::whole);
    EXPECT_TRUE(fails_with(run(identity->authenticate_session(half, std::nullopt)),
                           IdentityError::unauthenticated));
    EXPECT_EQ(newest().action, "session.proven");
}

TEST_F(PasskeysTest, makes_a_session_fresh_again_under_the_same_text) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    clock.now += (k_fresh_s + 1) * 1000;
    EXPECT_FALSE(actor(text).is_fresh);
    const auto shown = show(text, key.sign(challenge_for(text)));
    ASSERT_TRUE(shown.has_value());
    EXPECT_TRUE(shown->text.empty());
    EXPECT_TRUE(actor(text).is_fresh);
}

TEST_F(PasskeysTest, signs_in_without_a_password) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto made = sign_in_with(key);
    ASSERT_TRUE(made.has_value());
    EXPECT_FALSE(made->needs_factor);
    EXPECT_EQ(made->expires_at_ms, clock.now + k_session_s * 1000);
    const auto who = actor(text_of(made->text));
    EXPECT_EQ(who.standing, Standing::whole);
    EXPECT_TRUE(who.is_fresh);
    EXPECT_EQ(newest().action, "session.started");
    EXPECT_EQ(newest().from, "192.0.2.7");
    EXPECT_NE(newest().facts.find("factor_id"), std::string::npos);
}

TEST_F(PasskeysTest, without_a_password_its_user_is_verified_and_named) {
    PlayedAuthenticator key;
    add(session(), key);
    key.verifies_user = false;
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_user_not_verified");
    key.verifies_user = true;
    EXPECT_TRUE(fails_with(sign_in_with(key.sign(open_challenge(), false)),
                           IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "user_handle_missing");
    key.user_handle.back() ^= 1U;
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "user_handle_of_other");
    key.user_handle.back() ^= 1U;
    EXPECT_TRUE(sign_in_with(key));
}

TEST_F(PasskeysTest, key_that_did_not_verify_its_user_when_made_never_signs_in_alone) {
    const auto text = session();
    PlayedAuthenticator found;
    found.verifies_user = false;
    add(text, found);
    found.verifies_user = true;  // whoever found it has set a PIN
    EXPECT_TRUE(fails_with(sign_in_with(found), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "user_not_verified_when_made");
    EXPECT_TRUE(show(text, found.sign(challenge_for(text))));
    EXPECT_TRUE(fails_with(sign_in_with(found), IdentityError::invalid_passkey));
}

TEST_F(PasskeysTest, challenge_counts_once_whatever_came_of_it) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto challenge = open_challenge();
    const auto good = key.sign(challenge);
    auto bad = good;
    bad.signature.back() ^= 1U;
    EXPECT_TRUE(fails_with(sign_in_with(bad), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_wrong_signature");
    EXPECT_TRUE(fails_with(sign_in_with(good), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "challenge_unknown");
    const auto again = key.sign(open_challenge());
    EXPECT_TRUE(sign_in_with(again));
    EXPECT_TRUE(fails_with(sign_in_with(again), IdentityError::invalid_passkey));
    EXPECT_TRUE(fails_with(sign_in_with(key.sign(Bytes(32, 7))), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "challenge_unknown");
}

TEST_F(PasskeysTest, challenge_is_for_its_purpose_and_session_and_five_minutes) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    EXPECT_TRUE(
        fails_with(sign_in_with(key.sign(challenge_for(text))), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "challenge_unknown");
    EXPECT_TRUE(fails_with(show(text, key.sign(open_challenge())), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "challenge_unknown");
    EXPECT_TRUE(fails_with(show(text, key.sign(creation_options(text).challenge)),
                           IdentityError::invalid_passkey));
    const auto other = session();
    EXPECT_TRUE(
        fails_with(show(other, key.sign(challenge_for(text))), IdentityError::invalid_passkey));
    PlayedAuthenticator more;
    auto options = creation_options(text);
    options.challenge = challenge_for(text);
    EXPECT_TRUE(
        fails_with(register_with(text, more.make(options)), IdentityError::invalid_passkey));
    EXPECT_EQ(newest().action, "factor.refused");
    const auto late = open_challenge();
    clock.now += k_challenge_s * 1000;
    EXPECT_TRUE(fails_with(sign_in_with(key.sign(late)), IdentityError::invalid_passkey));
    clock.now -= 86'400'000;
    EXPECT_TRUE(fails_with(sign_in_with(key.sign(late)), IdentityError::invalid_passkey));
}

TEST_F(PasskeysTest, counter_has_to_grow) {
    PlayedAuthenticator key;
    const auto text = session();
    add(text, key);
    EXPECT_TRUE(sign_in_with(key));
    auto copy = key;
    EXPECT_TRUE(sign_in_with(key));
    EXPECT_TRUE(fails_with(sign_in_with(copy), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_counter_not_grown");
    EXPECT_EQ(newest().action, "session.refused");
    copy.count -= 1;
    EXPECT_TRUE(
        fails_with(show(text, copy.sign(challenge_for(text))), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_counter_not_grown");
    EXPECT_EQ(newest().action, "session.proof_refused");
    copy.count = 0;
    copy.step = 0;
    EXPECT_TRUE(fails_with(sign_in_with(copy), IdentityError::invalid_passkey));
    EXPECT_TRUE(sign_in_with(key));
}

TEST_F(PasskeysTest, keys_without_a_counter_are_taken_each_time) {
    PlayedAuthenticator synced;
    synced.step = 0;
    synced.is_backup_eligible = true;
    add(session(), synced);
    EXPECT_TRUE(sign_in_with(synced));
    EXPECT_TRUE(sign_in_with(synced));
    synced.is_backup_eligible = false;
    EXPECT_TRUE(fails_with(sign_in_with(synced), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_backup_eligibility_changed");
}

TEST_F(PasskeysTest, one_count_signs_in_once_however_many_ask) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto now = clock.now;
    const auto row = run(database->read([&](store::Transaction& tx) {
                         return rows::find_credential(tx, crypto::sha256(key.id));
                     })).value();
    const auto take = [&](std::uint32_t count) {
        return database
            ->write_now(
                [&](store::Transaction& tx) { return rows::take_count(tx, row->id, count, now); })
            .value();
    };
    EXPECT_FALSE(take(row->sign_count));
    EXPECT_TRUE(take(row->sign_count + 1));
    EXPECT_FALSE(take(row->sign_count + 1));
    EXPECT_FALSE(take(0));
    EXPECT_TRUE(take(4'294'967'295U));
}

TEST_F(PasskeysTest, other_sites_and_parties_are_refused) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    key.origin = "https://postern.example.evil.example";
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_wrong_origin");
    EXPECT_TRUE(fails_with(register_with(text, key.make(creation_options(text))),
                           IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_wrong_origin");
    key.origin = k_party.origins.front();
    key.rp_id = "example";
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "webauthn_wrong_relying_party");
}

TEST_F(PasskeysTest, credential_is_there_once_in_the_installation) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    const auto options = creation_options(text);
    ASSERT_EQ(options.known.size(), 1U);
    EXPECT_EQ(options.known[0].id, key.id);
    EXPECT_EQ(options.known[0].transports, std::vector<std::string>{"internal"});
    EXPECT_TRUE(fails_with(register_with(text, key.make(options)), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "credential_known");
    PlayedAuthenticator thief;
    thief.id = key.id;
    EXPECT_TRUE(fails_with(register_with(text, thief.make(creation_options(text))),
                           IdentityError::invalid_passkey));
}

TEST_F(PasskeysTest, somebody_elses_is_as_one_that_is_not_there) {
    const auto text = session();
    PlayedAuthenticator theirs;
    add(text, theirs);
    const auto whole = text_of(sign_in_with(theirs)->text);
    PlayedAuthenticator mine_too;
    add(whole, mine_too);
    PlayedAuthenticator nobodys;
    nobodys.user_handle = theirs.user_handle;
    const auto unknown = show(whole, nobodys.sign(challenge_for(whole)));
    EXPECT_EQ(reason(), "credential_unknown");
    const auto challenge = challenge_for(whole);
    move_keys_to(another_person());
    const auto other = show(whole, theirs.sign(challenge));
    EXPECT_EQ(reason(), "credential_of_other");
    ASSERT_FALSE(unknown.has_value() || other.has_value());
    EXPECT_EQ(unknown.error().code(), other.error().code());
    EXPECT_EQ(unknown.error().text(), other.error().text());
}

TEST_F(PasskeysTest, row_that_is_moved_to_somebody_else_signs_nobody_in) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto victim = another_person();
    move_keys_to(victim);
    ASSERT_TRUE(database->write_now([&](store::Transaction& tx) {
        return rows::keep_user_handle(tx, victim, key.user_handle);
    }));
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_EQ(reason(), "credential_does_not_open");
}

TEST_F(PasskeysTest, unknown_credentials_stand_in_the_installations_record) {
    PlayedAuthenticator nobodys;
    nobodys.user_handle = Bytes(32, 1);
    EXPECT_TRUE(fails_with(sign_in_with(nobodys), IdentityError::invalid_passkey));
    const auto record = newest(k_installation);
    EXPECT_EQ(record.action, "session.refused");
    EXPECT_EQ(record.facts, R"({"by":"nobody","with":"passkey","reason":"credential_unknown"})");
}

TEST_F(PasskeysTest, place_has_a_budget_of_its_own) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto guess = [&](const char* from) { return sign_in_with(key.sign(Bytes(32, 7)), from); };
    for (int i = 0; i < k_free_passkeys; ++i)
        ASSERT_TRUE(fails_with(guess("2001:db8::1"), IdentityError::invalid_passkey)) << i;
    EXPECT_TRUE(fails_with(guess("2001:db8::2"), IdentityError::too_many_attempts));
    EXPECT_TRUE(fails_with(guess("2001:db8:0:1::1"), IdentityError::invalid_passkey));
    EXPECT_TRUE(sign_in_with(key));
    clock.now += 31'000;
    EXPECT_TRUE(sign_in_with(key.sign(open_challenge()), "2001:db8::1"));
    EXPECT_TRUE(fails_with(guess("2001:db8::1"), IdentityError::invalid_passkey));
}

TEST_F(PasskeysTest, guesses_at_password_and_codes_do_not_keep_it_out) {
    PlayedAuthenticator key;
    add(session(), key);
    const auto half = session();
    for (int i = 0; i < 40; ++i) {
        EXPECT_FALSE(sign_in(k_email, "wrong horse battery staple"));
        EXPECT_FALSE(
            run(factors->show_code(SecondFactors::Self::check(actor(half)).value(), "000000")));
    }
    EXPECT_TRUE(fails_with(sign_in(), IdentityError::too_many_attempts));
    EXPECT_TRUE(sign_in_with(key));
    EXPECT_TRUE(show(half, key.sign(challenge_for(half))));
}

TEST_F(PasskeysTest, nothing_is_taken_where_no_record_can_be_written) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    const auto count = [&] {
        const auto load = [&](store::Transaction& tx) {
            return rows::find_credential(tx, crypto::sha256(key.id));
        };
        return run(database->read(load)).value()->sign_count;
    };
    const auto before = count();
    const auto challenge = open_challenge();
    ASSERT_TRUE(database->write_now([](store::Transaction& tx) {
        return store::done(tx.execute(store::SqlText("DROP TABLE audit_records")));
    }));
    const auto refused = sign_in_with(key.sign(challenge));
    ASSERT_FALSE(refused.has_value());
    EXPECT_FALSE(refused.error().is(IdentityError::invalid_passkey));
    PlayedAuthenticator more;
    EXPECT_FALSE(register_with(text, more.make(creation_options(text))));
    EXPECT_EQ(count(), before);
    const auto seen = SecondFactors::See::check(actor(text)).value();
    EXPECT_EQ(run(factors->enrolment(seen))->factors.size(), 1U);
}

TEST_F(PasskeysTest, deleted_one_signs_nobody_in) {
    const auto text = session();
    PlayedAuthenticator key;
    const auto id = add(text, key).factor.id;
    ASSERT_TRUE(run(factors->remove(mine(text), id)));
    EXPECT_EQ(newest().action, "factor.deleted");
    EXPECT_TRUE(fails_with(sign_in_with(key), IdentityError::invalid_passkey));
    EXPECT_TRUE(
        fails_with(run(passkeys->request_options(self(text))), IdentityError::factor_not_found));
    EXPECT_EQ(actor(session()).standing, Standing::whole);
}

TEST_F(PasskeysTest, last_one_stays_where_a_factor_is_demanded) {
    const auto text = session();
    PlayedAuthenticator key;
    const auto id = add(text, key).factor.id;
    ASSERT_TRUE(run(identity->demand_factors(workspace, clock.now, {})));
    EXPECT_TRUE(fails_with(run(factors->remove(mine(text), id)), IdentityError::last_factor));
}

TEST_F(PasskeysTest, names_and_numbers_are_bounded) {
    const auto text = session();
    PlayedAuthenticator key;
    for (const auto& name : {std::string(), std::string("a\nb"), std::string(201, 'x')}) {
        EXPECT_TRUE(fails_with(register_with(text, key.make(creation_options(text), name)),
                               IdentityError::invalid_name));
    }
    for (std::size_t i = 0; i < k_factors_max; ++i) {
        PlayedAuthenticator one;
        add(text, one);
    }
    EXPECT_TRUE(fails_with(register_with(text, key.make(creation_options(text))),
                           IdentityError::too_many_factors));
}

TEST_F(PasskeysTest, app_is_shown_beside_it) {
    const auto text = session();
    PlayedAuthenticator key;
    add(text, key);
    auto made = run(factors->begin(mine(text), "Phone")).value();
    ASSERT_TRUE(run(factors->confirm(mine(text), made.id, code_of(made.key))));
    const auto half = session();
    EXPECT_TRUE(run(
        factors->show_code(SecondFactors::Self::check(actor(half)).value(), code_of(made.key, 1))));
}

TEST_F(PasskeysTest, handle_says_nothing_of_the_person) {
    const auto text = session();
    const auto options = creation_options(text);
    EXPECT_EQ(options.user_handle.size(), k_user_handle_bytes);
    EXPECT_EQ(options.user_handle, creation_options(text).user_handle);
    EXPECT_EQ(options.challenge.size(), k_challenge_bytes);
    EXPECT_NE(options.challenge, creation_options(text).challenge);
    EXPECT_EQ(options.account, k_email);
}

}  // namespace
}  // namespace postern::identity::test
