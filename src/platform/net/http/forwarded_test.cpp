#include "platform/net/http/forwarded.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace postern::net::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Origin resolve(ForwardedStyle style, const std::string& peer, const Fields& fields) {
    Headers headers;
    headers.add("Host", "inner");
    for (const auto& [name, value] : fields)
        headers.add(name, value);
    const TrustedProxies proxies{.blocks = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::1/128")},
                                 .style = style};
    return resolve_origin(proxies, *IpAddress::parse(peer), false, headers);
}

TEST(Forwarded, untrusted_connections_speak_for_themselves) {
    const auto origin = resolve(ForwardedStyle::x_forwarded, "198.51.100.7",
                                {{"X-Forwarded-For", "127.0.0.1"},
                                 {"X-Forwarded-Proto", "https"},
                                 {"X-Forwarded-Host", "evil"},
                                 {"Forwarded", "for=127.0.0.1;proto=https;host=evil"}});
    EXPECT_EQ(origin.address.text(), "198.51.100.7");
    EXPECT_FALSE(origin.secure);
    EXPECT_EQ(origin.host, "inner");
}

TEST(Forwarded, rightmost_untrusted_address_wins) {
    const std::pair<const char*, const char*> k_cases[] = {
        {"203.0.113.5", "203.0.113.5"},
        {"127.0.0.1, 203.0.113.5", "203.0.113.5"},
        {"1.1.1.1,203.0.113.5,10.0.0.9", "203.0.113.5"},
        {"203.0.113.5:4711", "203.0.113.5"},
        {"[2001:db8::5]:4711", "2001:db8::5"},
        {"2001:db8::5", "2001:db8::5"},
        {"::ffff:203.0.113.5", "203.0.113.5"},
        {"10.0.0.7, 10.0.0.9", "10.0.0.7"},
        {"", "10.0.0.1"},
        {"unknown", "10.0.0.1"},
        {"1.1.1.1, unknown", "10.0.0.1"},
        {"1.1.1.1, 127.1", "10.0.0.1"},
        {"1.1.1.1,", "10.0.0.1"},
        {"1.1.1.1, rubbish, 10.0.0.9", "10.0.0.9"},
        {"[::1", "10.0.0.1"},
    };
    for (const auto& [list, address] : k_cases) {
        const auto origin =
            resolve(ForwardedStyle::x_forwarded, "10.0.0.1", {{"X-Forwarded-For", list}});
        EXPECT_EQ(origin.address.text(), address) << list;
    }
}

TEST(Forwarded, repeated_fields_are_one_list) {
    const auto origin =
        resolve(ForwardedStyle::x_forwarded, "10.0.0.1",
                {{"X-Forwarded-For", "127.0.0.1"}, {"x-forwarded-for", "203.0.113.5"}});
    EXPECT_EQ(origin.address.text(), "203.0.113.5");
}

TEST(Forwarded, scheme_and_host_come_from_the_nearest_proxy) {
    const auto origin = resolve(ForwardedStyle::x_forwarded, "::1",
                                {{"X-Forwarded-For", "203.0.113.5"},
                                 {"X-Forwarded-Proto", "http, https"},
                                 {"X-Forwarded-Host", "evil, mail.example:8443"}});
    EXPECT_TRUE(origin.secure);
    EXPECT_EQ(origin.host, "mail.example:8443");
    const auto odd = resolve(ForwardedStyle::x_forwarded, "::1",
                             {{"X-Forwarded-Proto", "httpsx"}, {"X-Forwarded-Host", "a/b"}});
    EXPECT_FALSE(odd.secure);
    EXPECT_EQ(odd.host, "inner");
}

TEST(Forwarded, standard_header_is_read_where_it_is_configured) {
    const auto origin = resolve(
        ForwardedStyle::forwarded, "10.0.0.1",
        {{"Forwarded", "for=1.1.1.1;host=evil, For=\"[2001:db8::5]:80\";Proto=https;host=\"a.b\""},
         {"X-Forwarded-For", "127.0.0.1"}});
    EXPECT_EQ(origin.address.text(), "2001:db8::5");
    EXPECT_TRUE(origin.secure);
    EXPECT_EQ(origin.host, "a.b");
    const auto quoted = resolve(ForwardedStyle::forwarded, "10.0.0.1",
                                {{"Forwarded", "for=\"1.1.1.1, for=127.0.0.1\""}});
    EXPECT_EQ(quoted.address.text(), "10.0.0.1");
}

TEST(Forwarded, quote_that_a_client_leaves_open_hides_nobody) {
    for (const std::string left : {"\"", "1.1.1.1\"", "for=\"", "a=\"b, \"", "\"\"\""}) {
        const auto plain = resolve(ForwardedStyle::x_forwarded, "10.0.0.1",
                                   {{"X-Forwarded-For", left + ", 203.0.113.9"}});
        EXPECT_EQ(plain.address.text(), "203.0.113.9") << left;
        const auto standard =
            resolve(ForwardedStyle::forwarded, "10.0.0.1",
                    {{"Forwarded", left + ", for=\"[2001:db8::5]:80\";proto=https;host=\"a.b\""}});
        EXPECT_EQ(standard.address.text(), "2001:db8::5") << left;
        EXPECT_EQ(standard.host, "a.b") << left;
    }
}

TEST(Forwarded, only_the_configured_header_is_believed) {
    EXPECT_EQ(resolve(ForwardedStyle::x_forwarded, "10.0.0.1", {{"Forwarded", "for=1.1.1.1"}})
                  .address.text(),
              "10.0.0.1");
    EXPECT_EQ(resolve(ForwardedStyle::forwarded, "10.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}})
                  .address.text(),
              "10.0.0.1");
}

TEST(Forwarded, long_chains_are_cut_at_the_left) {
    std::string list = "1.1.1.1";
    for (int i = 0; i < 1000; ++i)
        list += ", 10.0.0.2";
    EXPECT_EQ(resolve(ForwardedStyle::x_forwarded, "10.0.0.1", {{"X-Forwarded-For", list}})
                  .address.text(),
              "10.0.0.2");
}

}  // namespace
}  // namespace postern::net::http
