#include "app/config/values.h"

#include "app/config/config_error.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::app::config {
namespace {

TEST(Values, blocks) {
    for (const auto* good :
         {"10.0.0.0/8", "127.0.0.1", "127.0.0.1/32", "::1/128", "fd00::/8", "0.0.0.0/0", "::/0"}) {
        EXPECT_FALSE(why_no_block(good)) << good;
    }
    for (const auto* bad : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8",
                            "10.0.0/8", "010.0.0.0/8", "10.0.0.1/8", "fd00::1/8", "::1/129",
                            "localhost", "10.0.0.0 /8", "[::1]/128", "fe80::1%lo/128"}) {
        EXPECT_TRUE(why_no_block(bad)) << bad;
    }
}

TEST(Values, public_urls) {
    for (const auto* good : {"https://postern.example", "http://localhost:8080",
                             "https://[::1]:8443", "https://192.0.2.1"}) {
        EXPECT_FALSE(why_no_public_url(good)) << good;
    }
    for (const auto* bad :
         {"", "postern.example", "https://", "https:///x", "https://a/", "https://a?b",
          "https://a#b", "https://a:b", "https://a:99999", "https://u@a", "https://a b", "ftp://a",
          "https://[::1", "https://[1.2.3.4]", "HTTPS://a", "https://a\nb"}) {
        EXPECT_TRUE(why_no_public_url(bad)) << bad;
    }
}

TEST(Values, listen_on_loopback_is_plain) {
    for (const auto* text : {"127.0.0.1:8080", "127.1.2.3:0", "[::1]:65535"}) {
        const auto parsed = parse_listen(text, false);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->size(), 1U);
        EXPECT_FALSE(parsed->front().tls);
    }
    const auto both = parse_listen("localhost:80", true);
    ASSERT_TRUE(both);
    ASSERT_EQ(both->size(), 2U);
    EXPECT_EQ((*both)[1].address, "::1");
}

TEST(Values, listen_elsewhere_demands_a_certificate) {
    for (const auto* text : {"0.0.0.0:80", "[::]:80", "192.0.2.1:443", "[::ffff:127.0.0.1]:80",
                             "128.0.0.1:80", "[::2]:80"}) {
        const auto refused = parse_listen(text, false);
        ASSERT_FALSE(refused) << text;
        EXPECT_TRUE(refused.error().is(ConfigError::certificate_needed)) << text;
        const auto parsed = parse_listen(text, true);
        ASSERT_TRUE(parsed) << text;
        EXPECT_TRUE(parsed->front().tls);
    }
}

TEST(Values, listen_refuses_what_is_no_address_and_port) {
    for (const auto* text : {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                             "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[127.0.0.1]:80", "[::1]",
                             "example.com:80", "127.1:80", "0x7f.0.0.1:80", "localhost"}) {
        const auto refused = parse_listen(text, true);
        ASSERT_FALSE(refused) << text;
        EXPECT_TRUE(refused.error().is(ConfigError::invalid_value)) << text;
    }
}

TEST(Values, hosts_paths_regions_levels_urls) {
    EXPECT_FALSE(why_no_host("mail.brand.example"));
    EXPECT_FALSE(why_no_host("::1"));
    EXPECT_TRUE(why_no_host("a b"));
    EXPECT_TRUE(why_no_host(std::string(254, 'a')));
    EXPECT_FALSE(why_no_path("/a"));
    EXPECT_TRUE(why_no_path("a"));
    EXPECT_TRUE(why_no_path(std::string("/a\0b", 4)));
    EXPECT_FALSE(why_no_region("eu-west-1"));
    EXPECT_TRUE(why_no_region(""));
    EXPECT_TRUE(why_no_region("EU"));
    EXPECT_FALSE(why_no_log_level("warning"));
    EXPECT_TRUE(why_no_log_level("WARNING"));
    EXPECT_FALSE(why_no_url("sftp://backup.example:22/path"));
    EXPECT_TRUE(why_no_url("backup.example/path"));
    EXPECT_TRUE(why_no_url("://x"));
}

}  // namespace
}  // namespace postern::app::config
