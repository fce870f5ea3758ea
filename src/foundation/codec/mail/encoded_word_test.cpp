#include "foundation/codec/mail/encoded_word.h"

#include "foundation/codec/mail/ascii.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

namespace postern::codec {
namespace {

TEST(DecodeWords, decodes_what_it_knows) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"plain", "plain"},
        {"=?utf-8?Q?L=C3=A9a?=",
         "L\xc3\xa9"
         "a"},
        {"=?UTF-8?b?TMOpYQ==?=",
         "L\xc3\xa9"
         "a"},
        {"=?utf-8?B?TMOpYQ?=",
         "L\xc3\xa9"
         "a"},
        {"=?iso-8859-1?q?L=E9a_B?=",
         "L\xc3\xa9"
         "a B"},
        {"=?utf-8*en?Q?a?=", "a"},
        {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
        {"=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?= c", "ab c"},
        {"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
        {"x=?utf-8?Q?a?=y", "xay"},
    };
    for (const auto& [in, out] : rows)
        EXPECT_EQ(decode_words(in), out) << in;
}

TEST(DecodeWords, leaves_the_rest_as_written) {
    const std::string_view rows[] = {
        "=?gb18030?B?ztI=?=", "=?utf-8?X?a?=",   "=?utf-8?Q?a",
        "=?utf-8?Q?=4?=",     "=?utf-8?Q?=GG?=", "=?utf-8?B?!!?=",
        "=?utf-8??a?=",       "=??Q?a?=",        "=?",
        "=?utf-8?Q?a b?=",    "=?utf-8?QQ?a?=",
    };
    for (const auto row : rows)
        EXPECT_EQ(decode_words(row), row);
}

TEST(CleanText, makes_text_fit_to_be_shown) {
    const std::pair<std::string, std::string> rows[] = {
        {"  a \r\n\t b  ", "a b"},
        {std::string("a\0b", 3), "a b"},
        {"a\x1b[31mb", "a [31mb"},
        {"a\xff", "a\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xe2\x80\xae"
         "b",
         "a b"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xc2\x85x", "x"},
    };
    for (const auto& [in, out] : rows)
        EXPECT_EQ(clean_text(in, 100), out);
}

TEST(CleanText, cuts_between_characters) {
    EXPECT_EQ(clean_text("aa\xc3\xa9", 3), "aa");
    EXPECT_EQ(clean_text("aa\xc3\xa9", 4), "aa\xc3\xa9");
    EXPECT_EQ(clean_text("a b", 2), "a");
    EXPECT_EQ(clean_text(std::string(10'000, 'x'), 200).size(), 200U);
}

}  // namespace
}  // namespace postern::codec
