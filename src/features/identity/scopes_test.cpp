#include "features/identity/scopes.h"

#include "features/identity/policy.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::identity {
namespace {

using Names = std::vector<std::string_view>;

TEST(Scopes, every_weighty_act_that_a_token_can_do_has_a_name) {
    const auto all = Scopes::all();
    EXPECT_EQ(all.names(), (Names{"reseal", "cut_off", "tokens", "workspace", "people", "export"}));
    for (const auto permission : k_permissions) {
        EXPECT_TRUE(all.allow(permission));
        EXPECT_FALSE(Scopes().allow(permission));
    }
}

TEST(Scopes, are_stored_and_read_back) {
    for (const auto& names :
         {std::vector<std::string>{}, {"reseal"}, {"tokens", "cut_off"}, {"cut_off", "cut_off"}}) {
        const auto scopes = Scopes::of(names);
        ASSERT_TRUE(scopes.has_value());
        EXPECT_EQ(Scopes::parse(scopes->text()), scopes);
    }
    EXPECT_EQ(Scopes::all().text(), "all");
    EXPECT_EQ(Scopes::parse("all"), Scopes::all());
    EXPECT_EQ(Scopes::of({"tokens", "cut_off"})->text(), "cut_off tokens");
}

TEST(Scopes, other_names_are_none) {
    for (const auto* wrong :
         {"x", "Reseal", "reseal ", " reseal", "reseal  tokens", "all reseal", "reseal,tokens"}) {
        EXPECT_EQ(Scopes::parse(wrong), std::nullopt) << wrong;
    }
    EXPECT_EQ(Scopes::of({"reseal", ""}), std::nullopt);
    EXPECT_EQ(Scopes::of({"all"}), std::nullopt);
}

TEST(Scopes, a_token_gives_no_more_than_it_has) {
    const auto some = *Scopes::of({"tokens", "cut_off"});
    EXPECT_TRUE(some.are_within(Scopes::all()) && some.are_within(some));
    EXPECT_TRUE(Scopes().are_within(some));
    EXPECT_FALSE(Scopes::all().are_within(some));
    EXPECT_FALSE(Scopes::of({"reseal"})->are_within(some));
}

}  // namespace
}  // namespace postern::identity
