// Header values of every kind: fields, encoded words, parameters, addresses, dates, message ids.
#include "features/mail/reader/address_list.h"
#include "features/mail/reader/defect.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/header_params.h"
#include "features/mail/reader/mail_date.h"
#include "features/mail/reader/message_id.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/clock.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

std::string decoded(std::string_view raw) {
    Defects defects;
    return decode_header_text(raw, defects);
}

std::string addresses(std::string_view raw) {
    Defects defects;
    std::string out;
    for (const Mailbox& box : parse_address_list(raw, 100, defects)) {
        out += "[" + box.name + "|" + box.address + "]";
    }
    return out;
}

std::string ids(std::string_view raw) {
    std::string out;
    for (const std::string& id : parse_message_ids(raw))
        out += "[" + id + "]";
    return out;
}

struct Case {
    std::string_view in;
    std::string_view out;
};

TEST(HeaderField, finds_unfolds_and_skips) {
    Defects defects;
    const auto fields = parse_header_fields(
        "Subject : one\r\n two\r\nno field\r\n lost\r\nTO:a\nbad name: x\n\tlost\nsubject: again\n",
        {}, defects);
    EXPECT_EQ(unfolded(find_field(fields, "subject")), "one two");
    EXPECT_EQ(unfolded(find_field(fields, "to")), "a");
    EXPECT_EQ(find_field(fields, "bad name"), "");
    EXPECT_EQ(fields.size(), 3U);
    EXPECT_FALSE(is_field_start(": x"));
    EXPECT_FALSE(is_field_start("x"));
    EXPECT_FALSE(is_field_start(std::string(300, 'n') + ": x"));
}

TEST(HeaderField, takes_out_comments) {
    const std::vector<Case> cases{
        {"a (b) c", "a   c"},      {"a (b (c) d) e", "a   e"}, {"\"a (b)\" (c)", "\"a (b)\"  "},
        {"a (b\\) c) d", "a   d"}, {"a (unclosed", "a  "},     {"a) b", "a) b"}};
    for (const Case& c : cases)
        EXPECT_EQ(without_comments(c.in), c.out) << c.in;
}

TEST(EncodedWord, decodes_good_and_broken_words) {
    const std::vector<Case> cases{
        {"plain", "plain"},
        {"=?utf-8?q?a=20b_c?=", "a b c"},
        {"=?UTF-8?B?5L2g5aW9?=", "你好"},
        {"=?iso-8859-1?Q?Fr=F6sche?=", "Frösche"},
        {"=?iso-8859-1*de?Q?=E4?=", "ä"},
        {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
        {"=?utf-8?q?a?=  \t =?iso-8859-1?q?=E4?=", "aä"},
        {"x=?utf-8?q?a?=y", "xay"},
        {"=?utf-8?q?=E2=9C?= =?utf-8?q?=93?=", "✓"},
        {"=?utf-8?q?with space?=", "with space"},
        {"=?utf-8?q?=41?=", "A"},
        {"=?utf-8?q?"
         "?=",
         ""},
        {"=?utf-8?q?trailing_?=|", "trailing |"},
        {"=?utf-8?b?YQ?=", "a"},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?q?unclosed", "=?utf-8?q?unclosed"},
        {"=??q?a?=", "=??q?a?="},
        {"=?", "=?"},
        {"=?=?utf-8?q?a?=", "=?a"},
        {"=?x-martian?q?=E4?=", "ä"},
        {"Fr\xF6sche", "Frösche"},
        {"Frösche", "Frösche"},
        {"=?utf-7?q?Fr+APY-sche?=", "Frösche"},
        {"=?iso-2022-jp?b?GyRCJDMkcxsoQg==?=", "こん"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(decoded(c.in), c.out) << c.in;
}

TEST(EncodedWord, is_linear_and_bounded) {
    for (const std::string_view piece : {"=?", "=?a?q?", "=?utf-8?b?", "?=", "=?x?q?a?= "}) {
        std::string raw;
        while (raw.size() < 300'000)
            raw += piece;
        EXPECT_TRUE(is_valid_utf8(decoded(raw)));
    }
}

TEST(HeaderParams, reads_good_and_broken_parameters) {
    const auto get = [](std::string_view raw, std::string_view name) {
        Defects defects;
        return HeaderParams::parse(raw).text(name, defects);
    };
    EXPECT_EQ(HeaderParams::parse(" Text/Plain ; x=y").value(), "text/plain");
    EXPECT_EQ(HeaderParams::parse("; filename=x").value(), "");
    EXPECT_EQ(get("a; name=x", "name"), "x");
    EXPECT_EQ(get("a; NAME = \"x y\" ; b=c", "name"), "x y");
    EXPECT_EQ(get("a; name=\"x\\\"y\"", "name"), "x\"y");
    EXPECT_EQ(get("a; name=\"unclosed", "name"), "unclosed");
    EXPECT_EQ(get("a name=x", "name"), "x");
    EXPECT_EQ(get("a; name=two words", "name"), "two words");
    EXPECT_EQ(get("a; name=x (comment); b=c", "name"), "x");
    EXPECT_EQ(get("a;;;name=x;;", "name"), "x");
    EXPECT_EQ(get("a; name=x; name=y", "name"), "x");
    EXPECT_EQ(get("a; name=x; name*=utf-8''%C3%A4", "name"), "ä");
    EXPECT_EQ(get("a; name*=utf-8'de'%C3%A4%", "name"), "ä%");
    EXPECT_EQ(get("a; name*=%41", "name"), "A");
    EXPECT_EQ(get("a; name*0*=utf-8''%C3; name*1*=%A4; name*2=b", "name"), "äb");
    EXPECT_EQ(get("a; name*1=b; name*0=a", "name"), "ab");
    EXPECT_EQ(get("a; name*0=a; name*2=c", "name"), "a");
    EXPECT_EQ(get("a; name=\"=?utf-8?q?=C3=A4?=\"", "name"), "ä");
    EXPECT_EQ(get("a; name=\xE4", "name"), "ä");
    EXPECT_EQ(get("a; n", "name"), "");
    EXPECT_EQ(get("", "name"), "");
    std::string many = "a";
    for (int i = 0; i < 20'000; ++i)
        many += "; x" + std::to_string(i) + "=y";
    EXPECT_EQ(get(many, "x99"), "y");
    EXPECT_EQ(get(many, "x100"), "");
}

TEST(AddressList, reads_good_and_broken_lists) {
    const std::vector<Case> cases{
        {"a@example.com", "[|a@example.com]"},
        {"<a@example.com>", "[|a@example.com]"},
        {"A B <a@example.com>", "[A B|a@example.com]"},
        {"\"B, A\" <a@example.com>, c@example.com", "[B, A|a@example.com][|c@example.com]"},
        {"\"a \\\"q\\\" b\" <a@example.com>", "[a \"q\" b|a@example.com]"},
        {"a@example.com (Ann)", "[Ann|a@example.com]"},
        {"(x) A (y) <a@example.com>", "[A|a@example.com]"},
        {"group: a@x.example, B <b@x.example>; c@x.example",
         "[|a@x.example][B|b@x.example][|c@x.example]"},
        {"undisclosed-recipients:;", ""},
        {"=?utf-8?q?J=C3=BC?= <a@example.com>", "[Jü|a@example.com]"},
        {"\"=?utf-8?q?J=C3=BC?=\" <a@example.com>", "[Jü|a@example.com]"},
        {"=?utf-8?q?Doe, J?= <a@example.com>", "[Doe, J|a@example.com]"},
        {"=?utf-8?q?a?=\r\n =?utf-8?q?b?= <a@example.com>", "[ab|a@example.com]"},
        {"=?utf-8?q?x=3Cevil=40x=3E?= <a@example.com>", "[x<evil@x>|a@example.com]"},
        {"\"a@trusted.example\" <evil@x.example>", "[a@trusted.example|evil@x.example]"},
        {"a@trusted.example <evil@x.example>", "[a@trusted.example|evil@x.example]"},
        {"<a@x.example> <b@x.example>", "[|a@x.example]"},
        {"\"a b\"@example.com", "[|\"a b\"@example.com]"},
        {"<@r.example,@s.example:a@example.com>", "[|a@example.com]"},
        {"A <a@example.com", "[A|a@example.com]"},
        {"A <a @ example.com>", "[A|a@example.com]"},
        {"Just A Name", "[Just A Name|]"},
        {"J\xFCrgen <a@example.com>", "[Jürgen|a@example.com]"},
        {",,;, a@example.com,,", "[|a@example.com]"},
        {"(((((", ""},
        {"\"unclosed <a@example.com>", "[unclosed <a@example.com>|]"},
        {"", ""},
    };
    for (const Case& c : cases)
        EXPECT_EQ(addresses(c.in), c.out) << c.in;
}

TEST(AddressList, is_bounded) {
    Defects defects;
    std::string raw;
    for (int i = 0; i < 2'000; ++i)
        raw += "a@x.example,";
    EXPECT_EQ(parse_address_list(raw, 1'000, defects).size(), 1'000U);
    EXPECT_TRUE(defects.has(Defect::addresses_cut));
    for (const std::string_view piece : {"(", "\"", "<", "a:", "=?a?q?", "\\", ";", "<@"}) {
        std::string long_field;
        while (long_field.size() < 200'000)
            long_field += piece;
        for (const Mailbox& box : parse_address_list(long_field, 1'000, defects)) {
            EXPECT_LE(box.name.size(), 512U);
            EXPECT_LE(box.address.size(), 512U);
        }
    }
}

TEST(MailDate, reads_good_and_refuses_broken_dates) {
    const std::vector<Case> cases{
        {"Tue, 7 Apr 2026 10:00:01 +0200", "2026-04-07T08:00:01.000Z"},
        {"7 Apr 2026 10:00 GMT", "2026-04-07T10:00:00.000Z"},
        {"Tue,7 Apr 26 10:00:00 EDT (Eastern)", "2026-04-07T14:00:00.000Z"},
        {"Tue Apr  7 10:00:01 2026", "2026-04-07T10:00:01.000Z"},
        {"Tuesday, 07-Apr-2026 10:00:01 -0330", "2026-04-07T13:30:01.000Z"},
        {"7 April 2026 10:00:01 Z", "2026-04-07T10:00:01.000Z"},
        {"7 Apr 102 10:00:01 +0000", "2002-04-07T10:00:01.000Z"},
        {"29 Feb 2024 23:59:60 +0000", "2024-03-01T00:00:00.000Z"},
        {"7 Apr 2026", "2026-04-07T00:00:00.000Z"},
        {"29 Feb 2026 10:00:00 +0000", ""},
        {"32 Apr 2026 10:00:00 +0000", ""},
        {"7 Foo 2026 10:00:00 +0000", ""},
        {"7 Apr 1969 10:00:00 +0000", ""},
        {"1 Jan 1970 00:00:00 +0100", ""},
        {"Whenever", ""},
        {"", ""},
    };
    for (const Case& c : cases) {
        const auto date = parse_mail_date(c.in);
        EXPECT_EQ(date ? rfc3339(*date) : "", c.out) << c.in;
    }
}

TEST(MessageId, gives_exact_tokens) {
    const std::vector<Case> cases{
        {"<a@b>", "[a@b]"},
        {"<a@b> <c@d>", "[a@b][c@d]"},
        {"<a@b><c@d>", "[a@b][c@d]"},
        {"\r\n\t<a@b>\r\n <c@d>", "[a@b][c@d]"},
        {"<a@b> (comment <x@y>)", "[a@b]"},
        {"a@b", "[a@b]"},
        {"a@b, c@d", "[a@b][c@d]"},
        {"Your message of \"Tue\" <a@b>", "[a@b]"},
        {"=?utf-8?q?=3Ca=40b=3E?=", "[a@b]"},
        {"<a@b.EXAMPLE>", "[a@b.EXAMPLE]"},
        {"<xa@b> <a@bx>", "[xa@b][a@bx]"},
        {"<a@\r\n b>", "[a@b]"},
        {"<a@b", "[a@b]"},
        {"<<a@b>>", "[a@b]"},
        {"<noat>", "[noat]"},
        {"<>", ""},
        {"words only", ""},
        {"", ""},
    };
    for (const Case& c : cases)
        EXPECT_EQ(ids(c.in), c.out) << c.in;
    EXPECT_EQ(ids("<" + std::string(998, 'x') + ">").size(), 1'000U);
    EXPECT_EQ(ids("<" + std::string(999, 'x') + ">"), "");
}

TEST(MessageId, keeps_both_ends_when_cut) {
    std::vector<std::string> list{"1", "2", "3", "4", "5"};
    EXPECT_FALSE(cut_message_ids(list, 5));
    EXPECT_TRUE(cut_message_ids(list, 3));
    EXPECT_EQ(list, (std::vector<std::string>{"1", "4", "5"}));
}

}  // namespace
}  // namespace postern::reader
