#include "platform/net/ip_address.h"

#include <gtest/gtest.h>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

TEST(IpAddress, standard_forms_are_read_and_printed_canonically) {
    const std::pair<const char*, const char*> k_cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
    };
    for (const auto& [text, printed] : k_cases) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->text(), printed);
        EXPECT_EQ(IpAddress::parse(address->text()), address);
    }
}

TEST(IpAddress, odd_forms_are_refused) {
    using namespace std::literals;
    const std::string_view k_cases[] = {
        "",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.1.",
        " 127.0.0.1",
        "127.0.0.1 ",
        "256.0.0.1",
        "1.2.3",
        "1.2.3.4.5",
        "[::1]",
        "fe80::1%eth0",
        ":::",
        "1::2::3",
        "12345::",
        "::ffff:1.2.3",
        "127.0.0.1\0"sv,
        "::1\0x"sv,
        "localhost",
        "127.0.0.1/32",
        "+1.2.3.4",
        "::ffff:0x7f.0.0.1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd"};
    for (const auto text : k_cases)
        EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, loopback_is_seen_through_the_mapping) {
    for (const char* text : {"127.0.0.1", "127.255.1.2", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
    }
    for (const char* text : {"128.0.0.1", "::", "::2", "::ffff:128.0.0.1", "1::1"}) {
        EXPECT_FALSE(IpAddress::parse(text)->is_loopback()) << text;
    }
}

TEST(Cidr, block_contains_its_addresses_only) {
    struct Case {
        const char* block;
        const char* address;
        bool inside;
    };
    constexpr Case k_cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"127.0.0.1/32", "127.0.0.1", true},
        {"127.0.0.1/32", "127.0.0.2", false},
        {"127.0.0.1", "127.0.0.1", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "8.8.8.8", false},
        {"172.16.0.0/12", "172.31.9.9", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fe00::1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"::ffff:10.0.0.0/104", "11.0.0.1", false},
    };
    for (const auto& [block, address, inside] : k_cases) {
        EXPECT_EQ(Cidr::parse(block)->contains(*IpAddress::parse(address)), inside)
            << block << ' ' << address;
    }
}

TEST(Cidr, mistakes_are_refused) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                             "10.0.0.0/8 ", "10.0.0.1/8", "::1/129", "::1/64", "10.0.0.0/08888",
                             "10/8", "localhost/8", "10.0.0.0/8/8", "::ffff:0:0/95"}) {
        EXPECT_FALSE(Cidr::parse(text)) << text;
    }
}

}  // namespace
}  // namespace postern::net
