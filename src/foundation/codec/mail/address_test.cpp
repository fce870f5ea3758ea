#include "foundation/codec/mail/address.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::codec {
namespace {

using Listed = std::vector<ListedAddress>;

struct Row {
    std::string_view value;
    Listed addresses;
};

TEST(ParseAddressList, reads_what_mailers_send) {
    const Row rows[] = {
        {"", {}},
        {"ada@example.com", {{"", "ada@example.com"}}},
        {"Ada <ada@Example.COM>", {{"Ada", "ada@example.com"}}},
        {"Ada <Ada@example.com>", {{"Ada", "Ada@example.com"}}},
        {"<ada@example.com>", {{"", "ada@example.com"}}},
        {"\"Lovelace, Ada\" <ada@example.com>", {{"Lovelace, Ada", "ada@example.com"}}},
        {R"("A \"B\" C" <a@b.c>)", {{"A \"B\" C", "a@b.c"}}},
        {"ada@example.com (Ada)", {{"Ada", "ada@example.com"}}},
        {"a@b.c, d@e.f", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"a@b.c,,d@e.f,", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"a@b.c; d@e.f", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"Team: a@b.c, D <d@e.f>;, g@h.i", {{"", "a@b.c"}, {"D", "d@e.f"}, {"", "g@h.i"}}},
        {"undisclosed-recipients:;", {}},
        {"=?utf-8?Q?L=C3=A9a?= <l@b.c>",
         {{"L\xc3\xa9"
           "a",
           "l@b.c"}}},
        {"=?gb18030?B?ztI=?= <l@b.c>", {{"=?gb18030?B?ztI=?=", "l@b.c"}}},
        {"A\r\n\t<a@b.c>,\r\n d@e.f", {{"A", "a@b.c"}, {"", "d@e.f"}}},
        {"<@x.example,@y.example:ada@example.com>", {{"", "ada@example.com"}}},
        {"ada . l @ example . com", {{"", "ada.l@example.com"}}},
        {"ada(c)@(d)example.com", {{"d", "ada@example.com"}}},
        {"\"ada\"@example.com", {{"", "ada@example.com"}}},
        {"\"a b\"@example.com", {{"", "\"a b\"@example.com"}}},
        {"ada@[192.0.2.1]", {{"", "ada@[192.0.2.1]"}}},
        {"ada@example.com.", {{"", "ada@example.com"}}},
        {"ada@b\xc3\xbc"
         "cher.example",
         {{"",
           "ada@b\xc3\xbc"
           "cher.example"}}},
        {"\"ada@example.com\" <eve@evil.test>", {{"ada@example.com", "eve@evil.test"}}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(parse_address_list(row.value, 100), row.addresses) << row.value;
}

TEST(ParseAddressList, hides_nobody) {
    const Row rows[] = {
        {"nobody", {{"", ""}}},
        {"a@b@c.d", {{"", ""}}},
        {"<>", {{"", ""}}},
        {"Ada <>", {{"Ada", ""}}},
        {"Ada <a@b.c", {{"Ada", ""}}},
        {"<a@b.c> <d@e.f>", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"<a@b.c <d@e.f>>", {{"", ""}, {"", "d@e.f"}}},
        {"<a@b.c> d@e.f", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"<a@b.c> (d@e.f)", {{"", "a@b.c"}}},
        {"\"a@b.c, d@e.f", {{"", ""}}},
        {"a@b.c (open, d@e.f", {{"open, d@e.f", "a@b.c"}, {"", ""}}},
        {"a@b.c:d@e.f", {{"", "d@e.f"}}},
        {"<a@b.c>: d@e.f;", {{"", "a@b.c"}, {"", "d@e.f"}}},
        {"a@-b.c", {{"", ""}}},
        {"a@b..c", {{"", ""}}},
        {".a@b.c", {{"", ""}}},
        {"a@", {{"", ""}}},
        {"@b.c", {{"", ""}}},
        {"a\x01@b.c", {{"", ""}}},
        {std::string_view("a\0@b.c", 6), {{"", ""}}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(parse_address_list(row.value, 100), row.addresses) << row.value;
}

TEST(ParseAddressList, says_that_there_are_more_than_asked_for) {
    std::string value;
    for (int i = 0; i < 11; ++i)
        value += "a" + std::to_string(i) + "@b.c,";
    const auto whole = parse_address_list(value, 11);
    EXPECT_EQ(whole.size(), 11U);
    EXPECT_EQ(whole.back().address, "a10@b.c");
    const auto cut = parse_address_list(value, 10);
    EXPECT_EQ(cut.size(), 11U);
    EXPECT_EQ(cut.back(), ListedAddress());
}

TEST(ParseAddressList, bounds_names_addresses_and_fields) {
    const auto named = parse_address_list(std::string(5000, 'n') + " <a@b.c>", 1);
    EXPECT_EQ(named[0].name.size(), k_display_name_bytes_max);
    EXPECT_EQ(parse_address_list(std::string(300, 'a') + "@b.c", 1), Listed{{}});
    EXPECT_EQ(parse_address_list(std::string(k_address_field_bytes_max + 1, ','), 1), Listed{{}});
}

TEST(ParseAddressList, hostile_megabytes_take_linear_time) {
    for (const std::string_view unit :
         {"(", "\"", "<", ">", "<a", ":", ";", "a@b.c,", "\\", "(\\"}) {
        std::string value;
        while (value.size() + unit.size() <= k_address_field_bytes_max)
            value += unit;
        EXPECT_LE(parse_address_list(value, 50).size(), 51U);
    }
}

TEST(EmailAddress, accepted) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"ada@example.com", "ada@example.com"},
        {"Ada.L+x@Example.COM", "Ada.L+x@example.com"},
        {"a@localhost", "a@localhost"},
        {"a@b\xc3\xbc"
         "cher.example",
         "a@b\xc3\xbc"
         "cher.example"},
        {"o'brien@x-y.example", "o'brien@x-y.example"},
    };
    for (const auto& [in, out] : rows) {
        const auto address = EmailAddress::parse(in);
        ASSERT_TRUE(address) << in;
        EXPECT_EQ(address->text(), out);
    }
    EXPECT_EQ(EmailAddress::parse("ada@Example.com")->local_part(), "ada");
    EXPECT_EQ(EmailAddress::parse("ada@Example.com")->domain(), "example.com");
}

TEST(EmailAddress, refused) {
    const std::string rows[] = {
        "",
        "@",
        "a",
        "a@",
        "@b",
        "a@b@c",
        " a@b",
        "a@b ",
        "a b@c",
        "a@b\r\n",
        "a@b\r\nRCPT TO:<x@y>",
        std::string("a@b\0", 4),
        "a@b,c@d",
        "<a@b>",
        "Ada <a@b>",
        "\"a\"@b",
        "a@[127.0.0.1]",
        "a@b.",
        "a@.b",
        "a..b@c",
        "a@-b",
        "a@b c",
        "a\xff@b",
        "a@\xff",
        std::string(65, 'a') + "@b",
        "a@" + std::string(64, 'b'),
        "a@" + std::string(126, 'b') + "." + std::string(130, 'c'),
    };
    for (const auto& row : rows) {
        const auto address = EmailAddress::parse(row);
        ASSERT_FALSE(address) << row;
        EXPECT_TRUE(address.error().is(MailTextError::malformed_address));
    }
}

TEST(EmailAddress, is_the_same_person_whatever_the_case) {
    EXPECT_EQ(*EmailAddress::parse("Ada@Example.com"), *EmailAddress::parse("ada@example.COM"));
    EXPECT_FALSE(is_same_address("ada@example.com", "ada@example.co"));
    EXPECT_FALSE(is_same_address("", "a@b"));
}

}  // namespace
}  // namespace postern::codec
