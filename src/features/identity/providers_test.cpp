#include "features/identity/providers.h"

#include "features/identity/identity_error.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_lab_test.h"
#include "features/identity/provider_store.h"
#include "foundation/base/result.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/keys/records.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>

namespace postern::identity {
namespace {

using test::ProviderLab;
using test::secret_of;

class ProvidersTest : public ProviderLab {};

TEST_F(ProvidersTest, one_is_added_as_it_says_of_itself) {
    const auto made = added();
    EXPECT_EQ(made.settings.authorization_url, "https://login.example/auth");
    EXPECT_TRUE(made.settings.says_issuer);
    EXPECT_TRUE(made.settings.has_secret);
    const auto listed = run(providers->list(workspace)).value();
    ASSERT_EQ(listed.size(), 1);
    EXPECT_EQ(listed.front().settings.name, "Company");
    EXPECT_EQ(listed.front().row.default_role, Role::manager);
    EXPECT_EQ(run(providers->find(made.row.id)).value().settings.client_id, "postern");
}

TEST_F(ProvidersTest, its_secret_is_no_record_that_front_opens) {
    const auto made = added();
    EXPECT_TRUE(as_text(made.row.client.view()).starts_with("destined:"));
    const auto sealed = std::string(as_text(made.row.client.view()));
    EXPECT_NE(sealed.find("https://login.example/token"), std::string::npos);
    EXPECT_EQ(sealed.find("a client's secret"), std::string::npos);
}

TEST_F(ProvidersTest, nobody_is_made_an_owner) {
    auto wanted = wish();
    wanted.default_role = Role::owner;
    EXPECT_EQ(add(std::move(wanted)).value().row.default_role, Role::reader);
}

TEST_F(ProvidersTest, one_that_cannot_be_asked_or_is_another_is_not_added) {
    auto other = wish();
    other.issuer = "https://login.example/";
    EXPECT_TRUE(add(std::move(other)).error().is(ProviderError::unsuitable));
    auto absent = wish();
    absent.issuer = "https://nobody.example";
    EXPECT_TRUE(add(std::move(absent)).error().is(ProviderError::unsuitable));
    provider_side.fails = fetch::FetchError::address_refused;
    EXPECT_TRUE(add(wish()).error().is(fetch::FetchError::address_refused));
    EXPECT_TRUE(run(providers->list(workspace)).value().empty());
}

TEST_F(ProvidersTest, there_is_an_end_to_their_number) {
    for (std::int64_t i = 0; i < k_providers_max; ++i)
        ASSERT_TRUE(add(wish()));
    EXPECT_TRUE(add(wish()).error().is(ProviderError::too_many_providers));
}

TEST_F(ProvidersTest, a_change_asks_nobody_who_is_away) {
    const auto id = added().row.id;
    provider_side.fails = fetch::FetchError::connection_failed;
    Providers::Change wanted;
    wanted.name = "Old company";
    wanted.is_on = false;
    wanted.domains.emplace();
    const auto changed = change(id, std::move(wanted));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->settings.name, "Old company");
    EXPECT_FALSE(changed->row.is_on);
    EXPECT_TRUE(changed->settings.domains.empty());
    EXPECT_EQ(changed->settings.issuer, test::k_issuer);
}

TEST_F(ProvidersTest, a_secret_does_not_follow_to_another_token_address) {
    const auto id = added().row.id;
    provider_side.documents["https://login.example/.well-known/openid-configuration"] =
        document("https://login.example/other");
    Providers::Change look;
    look.look_again = true;
    EXPECT_TRUE(change(id, std::move(look)).error().is(ProviderError::secret_needed));
    EXPECT_EQ(run(providers->find(id)).value().settings.token_url, "https://login.example/token");
    Providers::Change anew;
    anew.secret.emplace();
    anew.secret->clear = secret_of("another secret");
    const auto changed = change(id, std::move(anew));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->settings.token_url, "https://login.example/other");
    EXPECT_NE(as_text(changed->row.client.view()).find("/other"), std::string_view::npos);
}

TEST_F(ProvidersTest, deleting_or_turning_off_ends_what_came_of_it) {
    for (const bool deletes : {true, false}) {
        session.clear();
        const auto id = added().row.id;
        give_session_to(id, clock.now);
        ASSERT_TRUE(run(identity->authenticate_session(session, std::nullopt)));
        const auto before = identity->endings();
        // By somebody whose session is another one.
        const auto theirs = std::exchange(session, {});
        if (deletes) {
            ASSERT_TRUE(run(providers->remove(manage(), id)));
        } else {
            Providers::Change off;
            off.is_on = false;
            ASSERT_TRUE(change(id, std::move(off)));
        }
        EXPECT_GT(identity->endings(), before);
        const auto after = run(identity->authenticate_session(theirs, std::nullopt));
        ASSERT_FALSE(after);
        EXPECT_TRUE(after.error().is(IdentityError::unauthenticated));
    }
}

TEST_F(ProvidersTest, those_of_others_are_not_there) {
    const auto id = added().row.id;
    const auto other = create_token("Other").value();
    const auto stranger = run(identity->authenticate_token(test::text_of(other.text))).value();
    const auto theirs = Providers::Manage::check(stranger).value();
    EXPECT_TRUE(run(providers->remove(theirs, id)).error().is(ProviderError::not_found));
    EXPECT_TRUE(run(providers->change(theirs, id, {})).error().is(ProviderError::not_found));
    EXPECT_TRUE(run(providers->list(stranger.workspace)).value().empty());
    EXPECT_EQ(run(providers->list(workspace)).value().size(), 1);
}

}  // namespace
}  // namespace postern::identity
