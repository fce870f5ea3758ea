#include "foundation/codec/mail/authentication_results.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::codec {
namespace {

struct Case {
    const char* value;
    const char* server;
    bool passed;
    bool failed;
};

TEST(AuthenticationResults, says_what_the_server_found) {
    const Case cases[] = {
        {"mx.example; dmarc=pass header.from=a.example", "mx.example", true, false},
        {"MX.Example 1; DMARC=Fail (p=reject dis=none) header.from=a.example", "mx.example", false,
         true},
        // DMARC decides where it is, whatever the others say.
        {"mx.example; spf=fail smtp.mailfrom=x; dkim=pass header.d=y; dmarc=pass", "mx.example",
         true, false},
        {"mx.example; spf=pass; dkim=pass header.d=other.example; dmarc=fail", "mx.example", false,
         true},
        {"mx.example; spf=fail; dkim=pass", "mx.example", true, false},
        {"mx.example; spf=fail; dkim=none", "mx.example", false, true},
        {"mx.example; dkim=fail; dkim=pass", "mx.example", true, false},
        {"mx.example; dkim=pass; dkim=fail", "mx.example", true, false},
        {"mx.example;\r\n\tspf/1 = hardfail (bad; dmarc=pass) smtp.mailfrom=\"a;dmarc=pass\"",
         "mx.example", false, true},
        {"mx.example; spf=softfail; dmarc=none", "mx.example", false, false},
        {"mx.example; dmarc=temperror; spf=neutral", "mx.example", false, false},
        {"mx.example; none", "mx.example", false, false},
    };
    for (const auto& one : cases) {
        const auto found = AuthenticationResults::parse(one.value);
        EXPECT_EQ(found.server, one.server) << one.value;
        EXPECT_EQ(found.passed, one.passed) << one.value;
        EXPECT_EQ(found.failed, one.failed) << one.value;
    }
}

TEST(AuthenticationResults, what_is_malformed_says_nothing) {
    const std::string cases[] = {
        "",
        ";",
        "; dmarc=fail",
        "(mx.example; dmarc=fail",
        "\"mx.example; dmarc=fail",
        std::string(300, 'x') + "; dmarc=fail",
        "m\xc3\xbcx.example; dmarc=fail",
    };
    for (const auto& one : cases) {
        const auto found = AuthenticationResults::parse(one);
        EXPECT_EQ(found.server, "") << one;
        EXPECT_FALSE(found.passed || found.failed) << one;
    }
}

TEST(AuthenticationResults, may_come_without_a_servers_name) {
    const auto forged = AuthenticationResults::parse(
        "spf=fail (sender IP is 203.0.113.9) smtp.mailfrom=a.example; dkim=none (message not "
        "signed) header.d=none;dmarc=fail action=oreject header.from=a.example;compauth=fail "
        "reason=000");
    EXPECT_TRUE(forged.nameless && forged.well_formed() && forged.failed);
    EXPECT_EQ(forged.server, "");
    EXPECT_EQ(forged.dmarc, AuthVerdict::fail);
    EXPECT_TRUE(AuthenticationResults::parse("dkim = pass header.d=a.example").passed);
    // No method, so the name of a server, if an odd one.
    EXPECT_EQ(AuthenticationResults::parse("mx.example spf=pass; dmarc=fail").server, "mx.example");
}

TEST(AuthenticationResults, keeps_each_method_apart) {
    const auto found = AuthenticationResults::parse("mx.example; spf=fail; dkim=pass; dmarc=none");
    EXPECT_EQ(found.spf, AuthVerdict::fail);
    EXPECT_EQ(found.dkim, AuthVerdict::pass);
    EXPECT_EQ(found.dmarc, AuthVerdict::undecided);
}

TEST(AuthenticationResults, tells_what_it_found_nothing_about_from_what_it_does_not_speak_of) {
    const auto silent = AuthenticationResults::parse("mx.example; arc=pass; bimi=none");
    for (const auto verdict : {silent.spf, silent.dkim, silent.dmarc})
        EXPECT_EQ(verdict, AuthVerdict::none);
    const auto found =
        AuthenticationResults::parse("mx.example; dkim=unknown; spf=softfail; dmarc=temperror");
    for (const auto verdict : {found.spf, found.dkim, found.dmarc})
        EXPECT_EQ(verdict, AuthVerdict::undecided);
    // What was decided stands, in either order.
    const auto mixed = AuthenticationResults::parse(
        "mx.example; dkim=fail; dkim=none; spf=none; spf=pass; dmarc=fail; dmarc=none");
    EXPECT_EQ(mixed.dkim, AuthVerdict::fail);
    EXPECT_EQ(mixed.spf, AuthVerdict::pass);
    EXPECT_EQ(mixed.dmarc, AuthVerdict::fail);
}

TEST(AuthenticationResults, looks_at_a_bounded_part) {
    std::string many = "mx.example";
    for (int i = 0; i < 1000; ++i)
        many += "; arc=none";
    EXPECT_FALSE(AuthenticationResults::parse(many + "; dmarc=fail").failed);
    EXPECT_EQ(AuthenticationResults::parse(std::string(1 << 22, '(')).server, "");
}

}  // namespace
}  // namespace postern::codec
