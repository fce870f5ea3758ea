#include "features/identity/provider_sign_in.h"

#include "features/identity/identity_error.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_lab_test.h"
#include "features/identity/provider_store.h"
#include "features/identity/second_factors.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {
namespace {

using test::ProviderLab;
using test::text_of;

constexpr const char* k_callback = "https://postern.example/sign-in/oidc/callback";

/// Of the address that a browser is sent to.
std::string parameter(const std::string& url, const std::string& name) {
    const auto at = url.find("&" + name + "=");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 2;
    return url.substr(begin, url.find('&', begin) - begin);
}

class ProviderSignInTest : public ProviderLab {
protected:
    SentAway sent_away() { return run(provider_sign_in->begin(id, k_callback)).value(); }
    CameBack back_from(const SentAway& away) {
        CameBack back;
        back.browser = text_of(away.browser);
        back.state = parameter(away.url, "state");
        back.code = "a-code";
        back.issuer = test::k_issuer;
        back.redirect_uri = k_callback;
        back.client = {"192.0.2.9", "Firefox"};
        return back;
    }
    void refused(CameBack back, ProviderError error) {
        const auto done = run(provider_sign_in->finish(std::move(back)));
        ASSERT_FALSE(done) << describe(error).code.view();
        EXPECT_TRUE(done.error().is(error)) << done.error().code();
    }

    const ProviderId id = added().row.id;
};

TEST_F(ProviderSignInTest, the_provider_is_told_what_the_code_flow_needs) {
    const auto away = sent_away();
    EXPECT_TRUE(
        away.url.starts_with("https://login.example/auth?response_type=code&client_id="
                             "postern&redirect_uri=https%3A%2F%2Fpostern.example%2F"));
    EXPECT_EQ(parameter(away.url, "scope"), "openid%20email");
    EXPECT_EQ(parameter(away.url, "code_challenge_method"), "S256");
    EXPECT_EQ(parameter(away.url, "code_challenge").size(), 43);
    EXPECT_EQ(parameter(away.url, "state").size(), 43);
    EXPECT_EQ(parameter(away.url, "nonce").size(), 43);
    EXPECT_EQ(away.url.find(text_of(away.browser)), std::string::npos);
    EXPECT_EQ(parameter(away.url, "prompt"), "");
    const auto again = sent_away();
    for (const auto* name : {"state", "nonce", "code_challenge"})
        EXPECT_NE(parameter(away.url, name), parameter(again.url, name));
}

TEST_F(ProviderSignInTest, the_verifier_is_the_one_of_the_challenge) {
    const auto away = sent_away();
    refused(back_from(away), ProviderError::code_refused);
    ASSERT_EQ(provider_side.exchanged.size(), 1);
    const auto& asked = provider_side.exchanged.front();
    EXPECT_EQ(codec::base64url(crypto::sha256(as_bytes(asked.verifier))),
              parameter(away.url, "code_challenge"));
    EXPECT_EQ(asked.code, "a-code");
    EXPECT_EQ(asked.redirect_uri, k_callback);
}

TEST_F(ProviderSignInTest, nobody_finishes_what_another_browser_began) {
    const auto mine = sent_away();
    const auto theirs = sent_away();
    auto mixed = back_from(mine);
    mixed.browser = text_of(theirs.browser);
    refused(std::move(mixed), ProviderError::sign_in_unknown);
    for (const std::string_view browser : {"", "x", "../../etc", "\r\n"}) {
        auto without = back_from(mine);
        without.browser = browser;
        refused(std::move(without), ProviderError::sign_in_unknown);
    }
    auto no_state = back_from(mine);
    no_state.state.clear();
    refused(std::move(no_state), ProviderError::sign_in_unknown);
    EXPECT_TRUE(provider_side.exchanged.empty());
    // What others tried did not spend it.
    refused(back_from(mine), ProviderError::code_refused);
}

TEST_F(ProviderSignInTest, it_counts_once_and_for_ten_minutes) {
    const auto away = sent_away();
    refused(back_from(away), ProviderError::code_refused);
    refused(back_from(away), ProviderError::sign_in_unknown);
    EXPECT_EQ(provider_side.exchanged.size(), 1);
    const auto late = sent_away();
    clock.now += k_away_s * 1000 + 1;
    refused(back_from(late), ProviderError::sign_in_unknown);
    const auto early = sent_away();
    clock.now -= 1000;
    refused(back_from(early), ProviderError::sign_in_unknown);
    EXPECT_EQ(provider_side.exchanged.size(), 1);
}

TEST_F(ProviderSignInTest, an_answer_of_another_issuer_is_not_looked_at) {
    auto other = back_from(sent_away());
    other.issuer = "https://evil.example";
    refused(std::move(other), ProviderError::wrong_issuer);
    auto silent = back_from(sent_away());
    silent.issuer.clear();
    refused(std::move(silent), ProviderError::wrong_issuer);
    auto refusing = back_from(sent_away());
    refusing.has_error = true;
    refused(std::move(refusing), ProviderError::refused_there);
    auto without = back_from(sent_away());
    without.code.clear();
    refused(std::move(without), ProviderError::refused_there);
    EXPECT_TRUE(provider_side.exchanged.empty());
}

TEST_F(ProviderSignInTest, a_token_that_is_not_signed_by_the_provider_is_refused) {
    // RFC 7515 appendix A.3 under the provider's key: a good signature, and no ID token.
    const std::string payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ";
    const std::string signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const std::string tokens[] = {"eyJhbGciOiJFUzI1NiJ9." + payload + "." + signature,
                                  "eyJhbGciOiJFUzI1NiJ9.e30." + signature,
                                  "eyJhbGciOiJub25lIn0." + payload + ".", "no token"};
    for (const auto& token : tokens) {
        provider_side.answer = {.status = 200, .id_token = token, .error = {}};
        refused(back_from(sent_away()), ProviderError::token_refused);
    }
    EXPECT_EQ(run(provider_sign_in->links(ProviderSignIn::See::check(actor()).value()))->size(), 0);
}

TEST_F(ProviderSignInTest, keys_are_fetched_anew_for_an_unknown_one_and_not_without_end) {
    // {"alg":"ES256","kid":"k9"}
    provider_side.answer = {
        .status = 200, .id_token = "eyJhbGciOiJFUzI1NiIsImtpZCI6Ims5In0.e30.AA", .error = {}};
    const auto before = provider_side.fetched.size();
    for (int i = 0; i < 10; ++i)
        refused(back_from(sent_away()), ProviderError::token_refused);
    EXPECT_EQ(provider_side.fetched.size() - before, 1 + k_keys_again_max);
    clock.now += 61'000;
    refused(back_from(sent_away()), ProviderError::token_refused);
    EXPECT_EQ(provider_side.fetched.size() - before, 2 + k_keys_again_max);
    clock.now += k_keys_s * 1000;
    provider_side.documents.erase("https://login.example/keys");
    refused(back_from(sent_away()), ProviderError::keys_unusable);
}

TEST_F(ProviderSignInTest, one_that_is_off_or_unknown_sends_nobody_away) {
    const auto waiting = sent_away();
    Providers::Change off;
    off.is_on = false;
    ASSERT_TRUE(change(id, std::move(off)));
    EXPECT_TRUE(run(provider_sign_in->begin(id, k_callback)).error().is(ProviderError::not_found));
    refused(back_from(waiting), ProviderError::turned_off);
    const auto unknown = ProviderId::make(clock.now);
    EXPECT_TRUE(
        run(provider_sign_in->begin(unknown, k_callback)).error().is(ProviderError::not_found));
    EXPECT_TRUE(provider_side.exchanged.empty());
}

TEST_F(ProviderSignInTest, a_session_of_a_provider_opens_its_workspace_alone) {
    give_session_to(id, clock.now);
    EXPECT_EQ(actor().workspace, workspace);
    const auto other = create_token("Other").value().workspace;
    const auto person = *actor().person;
    const auto join = [other, person](store::Transaction& tx) {
        return rows::insert_membership(tx, {other, person, Role::owner, 1});
    };
    ASSERT_TRUE(run(database->write(join)));
    EXPECT_EQ(run(identity->authenticate_session(session, std::nullopt)).value().workspace,
              workspace);
    const auto there = run(identity->authenticate_session(session, other));
    ASSERT_FALSE(there);
    EXPECT_TRUE(there.error().is(IdentityError::no_workspace));
    const auto whole = text_of(sign_in().value().text);
    EXPECT_EQ(run(identity->authenticate_session(whole, other)).value().workspace, other);
}

TEST_F(ProviderSignInTest, who_has_a_password_is_fresh_by_it_alone) {
    give_session_to(id, clock.now);
    EXPECT_FALSE(actor().is_fresh);
    const auto self = SecondFactors::Self::check(actor()).value();
    ASSERT_TRUE(run(factors->show_password(self, test::secret_of(test::k_password))));
    EXPECT_TRUE(actor().is_fresh);
}

TEST_F(ProviderSignInTest, who_is_managed_has_no_password_and_is_fresh_by_the_provider) {
    const auto olga = *actor().person;
    const auto proof = actor().proof;
    const auto managed = PersonId::make(7);
    const auto body = [olga, proof, managed, provider = id, here = workspace,
                       now = clock.now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto person, rows::find_person(tx, olga));
        person->id = managed;
        person->address_token = to_bytes("of this workspace alone");
        person->managed_in = here;
        if (auto done = rows::insert_person(tx, *person); !done) return done;
        if (auto done = rows::insert_membership(tx, {here, managed, Role::reader, 1}); !done) {
            return done;
        }
        POSTERN_TRY(auto row, rows::find_session(tx, proof));
        if (auto done = rows::delete_session(tx, proof); !done) return done;
        row->person = managed;
        row->provider = provider;
        row->provider_at_ms = now;
        row->password_at_ms = 0;
        return rows::insert_session(tx, *row);
    };
    ASSERT_TRUE(run(database->write(body)));
    EXPECT_EQ(actor().role, Role::reader);
    EXPECT_TRUE(actor().is_fresh);
    const auto self = SecondFactors::Self::check(actor()).value();
    const auto shown = run(factors->show_password(self, test::secret_of(test::k_password)));
    ASSERT_FALSE(shown);
    EXPECT_TRUE(shown.error().is(IdentityError::invalid_credentials));
    clock.now += (k_fresh_s + 1) * 1000;
    EXPECT_FALSE(actor().is_fresh);
}

TEST_F(ProviderSignInTest, a_proof_is_for_sessions_of_a_provider) {
    const auto self = ProviderSignIn::See::check(actor()).value();
    EXPECT_TRUE(run(provider_sign_in->begin_proof(self, k_callback))
                    .error()
                    .is(ProviderError::not_by_provider));
    give_session_to(id, clock.now);
    const auto again = ProviderSignIn::See::check(actor()).value();
    const auto away = run(provider_sign_in->begin_proof(again, k_callback));
    ASSERT_TRUE(away);
    EXPECT_EQ(parameter(away->url, "prompt"), "login");
    EXPECT_EQ(parameter(away->url, "max_age"), "0");
}

TEST_F(ProviderSignInTest, nobody_links_to_a_provider_of_others) {
    const auto mine = ProviderSignIn::Mine::check(actor()).value();
    EXPECT_TRUE(run(provider_sign_in->begin_link(mine, id, k_callback)));
    const auto unknown = ProviderId::make(clock.now);
    EXPECT_TRUE(run(provider_sign_in->begin_link(mine, unknown, k_callback))
                    .error()
                    .is(ProviderError::not_found));
    EXPECT_TRUE(run(provider_sign_in->remove_link(mine, LinkId::make(1)))
                    .error()
                    .is(ProviderError::link_not_found));
}

}  // namespace
}  // namespace postern::identity
