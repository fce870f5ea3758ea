#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/net/ip_address.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;
using Manage = Authorized<Permission::manage_tokens>;
using Wish = Identity::TokenWish;

constexpr UnixMs k_hour_ms = 3'600'000;

Wish wish(Role role, Scopes scopes = {}) {
    Wish out;
    out.role = role;
    out.scopes = scopes;
    return out;
}
Wish lasting(Role role, std::int64_t seconds) {
    auto out = wish(role);
    out.lasts_s = seconds;
    return out;
}
Wish named(Role role, std::string name) {
    auto out = wish(role);
    out.name = std::move(name);
    return out;
}

class TokensTest : public IdentityLab {
protected:
    Actor actor(const Secret& text, net::IpAddress from = {}) {
        return run(identity->authenticate_token(text_of(text), from)).value();
    }
    Result<Identity::Token> make(const Actor& by, Wish wish) {
        return run(identity->create_token(Manage::check(by).value(), std::move(wish)));
    }
    bool is_good(const Secret& text, const char* from = "192.0.2.7") {
        const auto known =
            run(identity->authenticate_token(text_of(text), *net::IpAddress::parse(from)));
        EXPECT_TRUE(known || known.error().is(IdentityError::unauthenticated));
        return known.has_value();
    }
    std::vector<Identity::Token> listed(WorkspaceId workspace) {
        return run(identity->tokens(workspace)).value();
    }
};

TEST_F(TokensTest, token_of_the_host_may_do_what_its_role_may) {
    const auto made = create_token("Brand").value();
    const auto owner = actor(made.text);
    EXPECT_EQ(owner.scopes, Scopes::all());
    EXPECT_TRUE(admit(owner, Permission::cut_off_integrations));
    EXPECT_TRUE(admit(owner, Permission::manage_tokens));
    const auto reader = actor(create_token("Brand", Role::reader)->text);
    EXPECT_TRUE(
        fails_with(admit(reader, Permission::cut_off_integrations), IdentityError::forbidden));
}

TEST_F(TokensTest, weighty_acts_are_scopes) {
    const auto owner = actor(create_token("Brand")->text);
    const auto plain = actor(make(owner, wish(Role::owner))->text);
    EXPECT_TRUE(admit(plain, Permission::write_mail));
    EXPECT_TRUE(admit(plain, Permission::close_integrations));
    for (const auto weighty : {Permission::cut_off_integrations, Permission::reseal_integrations,
                               Permission::manage_tokens, Permission::manage_workspace}) {
        EXPECT_TRUE(fails_with(admit(plain, weighty), IdentityError::scope_needed));
    }
    const auto scopes = Scopes::of({"cut_off"}).value();
    const auto scoped = actor(make(owner, wish(Role::manager, scopes))->text);
    EXPECT_TRUE(admit(scoped, Permission::cut_off_integrations));
    EXPECT_TRUE(
        fails_with(admit(scoped, Permission::reseal_integrations), IdentityError::scope_needed));
}

TEST_F(TokensTest, nobody_gives_more_than_they_have) {
    const auto owner = actor(create_token("Brand")->text);
    const auto scopes = Scopes::of({"tokens", "cut_off"}).value();
    const auto some = actor(make(owner, wish(Role::owner, scopes))->text);
    const auto more = Scopes::of({"reseal"}).value();
    EXPECT_TRUE(fails_with(make(some, wish(Role::reader, more)), IdentityError::beyond_own_rights));
    EXPECT_TRUE(make(some, wish(Role::reader, scopes)));
    EXPECT_TRUE(fails_with(make(some, wish(Role::reader, Scopes::all())),
                           IdentityError::beyond_own_rights));
}

TEST_F(TokensTest, expired_token_is_good_for_nothing) {
    const auto owner = actor(create_token("Brand")->text);
    const auto made = make(owner, lasting(Role::reader, 60)).value();
    const auto reader = actor(made.text);
    clock.now += 59'999;
    EXPECT_TRUE(is_good(made.text));
    EXPECT_TRUE(run(identity->check_again(reader)));
    clock.now += 1;
    EXPECT_FALSE(is_good(made.text));
    EXPECT_TRUE(fails_with(run(identity->check_again(reader)), IdentityError::unauthenticated));
}

TEST_F(TokensTest, token_is_good_in_its_networks_only) {
    const auto owner = actor(create_token("Brand")->text);
    auto wished = wish(Role::reader);
    wished.networks = {*net::Cidr::parse("192.0.2.0/24"), *net::Cidr::parse("2001:db8::/32")};
    const auto made = make(owner, std::move(wished)).value();
    for (const auto* inside : {"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9", "2001:db8::1"})
        EXPECT_TRUE(is_good(made.text, inside)) << inside;
    for (const auto* outside : {"192.0.3.1", "127.0.0.1", "::1", "2001:db9::1", "0.0.0.0"})
        EXPECT_FALSE(is_good(made.text, outside)) << outside;
}

TEST_F(TokensTest, last_use_is_told_to_the_hour) {
    const auto made = create_token("Brand").value();
    EXPECT_EQ(listed(made.workspace).at(0).row.used_at_ms, 0);
    clock.now += 7;
    EXPECT_TRUE(is_good(made.text));
    const auto hour = clock.now - clock.now % k_hour_ms;
    EXPECT_EQ(listed(made.workspace).at(0).row.used_at_ms, hour);
    clock.now = hour + k_hour_ms - 1;
    EXPECT_TRUE(is_good(made.text));
    EXPECT_EQ(listed(made.workspace).at(0).row.used_at_ms, hour);
    clock.now = hour + k_hour_ms;
    EXPECT_TRUE(is_good(made.text));
    EXPECT_EQ(listed(made.workspace).at(0).row.used_at_ms, hour + k_hour_ms);
}

TEST_F(TokensTest, names_are_listed_as_they_were_given) {
    const auto owner = actor(create_token("Brand")->text);
    // They are listed by age.
    ++clock.now;
    ASSERT_TRUE(make(owner, named(Role::reader, "Nightly export \xC3\xA9")));
    const auto all = listed(owner.workspace);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "");
    EXPECT_EQ(all[1].name, "Nightly export \xC3\xA9");
    EXPECT_TRUE(fails_with(make(owner, named(Role::reader, "a\nb")), IdentityError::invalid_name));
}

}  // namespace
}  // namespace postern::identity::test
