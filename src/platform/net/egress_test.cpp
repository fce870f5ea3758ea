#include "platform/net/egress.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

TEST(Egress, special_addresses_are_not_public) {
    for (const char* text : {"0.0.0.0",
                             "0.1.2.3",
                             "10.0.0.1",
                             "100.64.0.1",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.255.254",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.1",
                             "192.0.2.1",
                             "192.88.99.1",
                             "192.168.1.1",
                             "198.18.0.1",
                             "198.19.255.255",
                             "198.51.100.7",
                             "203.0.113.9",
                             "224.0.0.1",
                             "239.1.1.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::2",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::ffff:169.254.169.254",
                             "::127.0.0.1",
                             "::8.8.8.8",
                             "fc00::1",
                             "fdff::1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "ff02::1",
                             "64:ff9b::7f00:1",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b:1::808:808",
                             "2002:7f00:1::",
                             "2002:a00:1::1",
                             "2001::1",
                             "2001:db8::1",
                             "2001:10::1",
                             "100::1",
                             "3fff::1",
                             "4000::1",
                             "5f00::1"}) {
        EXPECT_FALSE(is_public(*IpAddress::parse(text))) << text;
    }
}

TEST(Egress, internet_addresses_are_public) {
    for (const char* text :
         {"8.8.8.8",         "1.0.0.1",      "9.255.255.255",    "11.0.0.0",
          "100.63.255.255",  "100.128.0.0",  "126.255.255.255",  "128.0.0.1",
          "172.15.0.1",      "172.32.0.1",   "192.0.1.1",        "192.167.1.1",
          "198.17.0.1",      "198.20.0.1",   "223.255.255.255",  "::ffff:8.8.8.8",
          "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1",
          "3ffe::1"}) {
        EXPECT_TRUE(is_public(*IpAddress::parse(text))) << text;
    }
}

TEST(Egress, operator_can_allow_exactly_what_they_name) {
    const EgressPolicy policy{
        .allow_private = {*Cidr::parse("127.0.0.1/32"), *Cidr::parse("fd00:1::/32")}};
    const std::pair<const char*, bool> k_cases[] = {
        {"127.0.0.1", true},        {"::ffff:127.0.0.1", true},
        {"127.0.0.2", false},       {"::1", false},
        {"fd00:1::5", true},        {"fd00:2::5", false},
        {"64:ff9b::7f00:1", false}, {"2002:7f00:1::", false},
        {"8.8.8.8", true},          {"169.254.169.254", false},
    };
    for (const auto& [text, permitted] : k_cases) {
        EXPECT_EQ(policy.permits(*IpAddress::parse(text)), permitted) << text;
    }
}

TEST(Egress, host_names_are_told_from_numbers_and_noise) {
    for (const char* text :
         {"localhost", "localhost.", "mail.brand.example", "a", "_smtp.a.b",
          "xn--bcher-kva.example", "1password.com", "3com", "0xyz", "1.2.3.a4"}) {
        EXPECT_TRUE(is_host_name(text)) << text;
    }
    using namespace std::literals;
    const std::string too_long = std::string(64, 'a') + ".example";
    std::string too_deep;
    for (int i = 0; i < 130; ++i)
        too_deep += "a.";
    for (const std::string_view text : {""sv,
                                        "."sv,
                                        ".."sv,
                                        "a..b"sv,
                                        ".a"sv,
                                        "127.1"sv,
                                        "127.0.0.1."sv,
                                        "0x7f.1"sv,
                                        "0x7f"sv,
                                        "0X7F000001"sv,
                                        "2130706433"sv,
                                        "017700000001"sv,
                                        "1.2.3.0x4"sv,
                                        "a.0x"sv,
                                        "a.1"sv,
                                        "-a"sv,
                                        "a-"sv,
                                        "a b"sv,
                                        "a\nb"sv,
                                        "a\0b"sv,
                                        "a/b"sv,
                                        "a:1"sv,
                                        "a@b"sv,
                                        "b\xc3\xbc.de"sv,
                                        "[::1]"sv,
                                        "fe80::1%lo"sv,
                                        "%6cocalhost"sv,
                                        std::string_view(too_long),
                                        std::string_view(too_deep)}) {
        EXPECT_FALSE(is_host_name(text)) << text;
    }
}

}  // namespace
}  // namespace postern::net
