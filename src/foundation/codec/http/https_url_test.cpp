#include "foundation/codec/http/https_url.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::codec::http {
namespace {

TEST(HttpsUrl, parts_are_told_apart) {
    const auto url = HttpsUrl::parse("https://login.example:8443/realms/x?tenant=%2Fa");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host(), "login.example");
    EXPECT_EQ(url->port(), 8443);
    EXPECT_EQ(url->authority(), "login.example:8443");
    EXPECT_EQ(url->target(), "/realms/x?tenant=%2Fa");
    EXPECT_TRUE(url->has_query());
    EXPECT_EQ(HttpsUrl::parse("https://a.example")->target(), "/");
    EXPECT_EQ(HttpsUrl::parse("https://a.example?x=1")->target(), "/?x=1");
    EXPECT_EQ(HttpsUrl::parse("https://a.example")->port(), 443);
    EXPECT_EQ(HttpsUrl::parse("https://[2001:db8::1]:444/")->host(), "[2001:db8::1]");
    EXPECT_EQ(HttpsUrl::parse("https://[2001:db8::1]:444/")->port(), 444);
}

TEST(HttpsUrl, everything_else_is_refused) {
    for (const auto* text : {"",
                             "http://a.example/",
                             "HTTPS://a.example/",
                             "https:/a.example",
                             "https://",
                             "https:///x",
                             "https://user@a.example/",
                             "https://user:x@a.example/",
                             "https://a.example/#x",
                             "https://a.example/ x",
                             "https://a.example/\r\nx",
                             "https://a.example:/",
                             "https://a.example:0/",
                             "https://a.example:65536/",
                             "https://a.example:443x/",
                             "https://a.example:0443/",
                             "https://a b/",
                             "https://a.example\\x",
                             "https://a.example/%",
                             "https://a.example/%2",
                             "https://a.example/%zz",
                             "https://\xC3\xA9.example/",
                             "https://[::1/",
                             "https://[zz]/",
                             "https://[::1]x/",
                             "https://a.example/\"",
                             "https://a.example/<",
                             "//a.example/"}) {
        EXPECT_FALSE(HttpsUrl::parse(text)) << text;
    }
    EXPECT_FALSE(HttpsUrl::parse("https://a.example/" + std::string(k_url_bytes_max, 'x')));
}

TEST(PercentEncoded, leaves_only_what_is_unreserved) {
    EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encoded("a b&c=d+\xC3\xA9/"), "a%20b%26c%3Dd%2B%C3%A9%2F");
}

}  // namespace
}  // namespace postern::codec::http
