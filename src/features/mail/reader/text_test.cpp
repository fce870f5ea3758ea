// Bytes to text: UTF-8, charsets, transfer encodings, HTML as text.
#include "features/mail/reader/charset.h"
#include "features/mail/reader/html_text.h"
#include "features/mail/reader/transfer_encoding.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

using namespace std::string_view_literals;

std::string decoded(std::string_view body, TransferEncoding encoding, bool* broken = nullptr) {
    const DecodedBody out = decode_body(body, encoding, 1U << 20U);
    if (broken != nullptr) *broken = out.broken;
    return std::string(as_text(out.bytes));
}

struct Case {
    std::string_view in;
    std::string_view out;
};

TEST(Utf8Text, repairs_every_kind_of_fault) {
    const std::vector<Case> cases{
        {"a\0b"sv, "ab"},
        {"\xC3\xA4", "ä"},
        {"\xC3", "\uFFFD"},
        {"\x80", "\uFFFD"},
        {"\xC0\xAF", "\uFFFD\uFFFD"},
        {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
        {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"\xF0\x9F\x98\x80", "😀"},
        {"\xFF\xFE", "\uFFFD\uFFFD"},
        {"\xEF\xBF\xBF", "\xEF\xBF\xBF"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(repaired_utf8(c.in), c.out) << c.in;
        EXPECT_TRUE(is_valid_utf8(repaired_utf8(c.in)));
    }
}

TEST(Utf8Text, cuts_between_characters) {
    EXPECT_EQ(cut_utf8("aä", 2), "a");
    EXPECT_EQ(cut_utf8("aä", 3), "aä");
    EXPECT_EQ(cut_utf8("😀", 3), "");
    EXPECT_EQ(display_line(" a\r\n\tb\x1b\u202Ec ", 100), "a bc");
    EXPECT_EQ(display_line("ääää", 5), "ää");
    EXPECT_EQ(display_line("a b", 2), "a") << "a cut leaves no blank at the end";
    EXPECT_EQ(body_text("a\r\nb\rc\n\x07\x1b[0m"), "a\nb\nc\n[0m");
}

TEST(Charset, knows_what_mail_uses) {
    const std::vector<std::pair<std::string_view, Case>> cases{
        {"iso-8859-2", {"\xB1", "ą"}},
        {"ISO_8859-15", {"\xA4", "€"}},
        {"latin1", {"\xE4\x80", "ä€"}},
        {"koi8-r", {"\xD0", "п"}},
        {"windows-1251", {"\xEF", "п"}},
        {"\"windows-1253\"", {"\xE1", "α"}},
        {"shift_jis", {"\x82\xB1", "こ"}},
        {"euc-jp", {"\xA4\xB3", "こ"}},
        {"big5", {"\xA7\x41", "你"}},
        {"euc-kr", {"\xB0\xA1", "가"}},
        {"ks_c_5601-1987", {"\xB0\xA1", "가"}},
        {"gb2312", {"\xC4\xE3", "你"}},
        {"gbk", {"\xC4\xE3", "你"}},
        {"utf-16", {"\xFE\xFF\x00\x61"sv, "a"}},
        {"utf-16le", {"a\0b\0"sv, "ab"}},
        {"utf-7", {"+AOQ-", "ä"}},
        {"utf-8", {"\xEF\xBB\xBF\x61", "a"}},
        {"tis-620", {"\xA1", "ก"}},
        {"us-ascii", {"\xC3\xA4", "ä"}},
        {"us-ascii", {"\xE4", "ä"}},
    };
    for (const auto& [label, c] : cases) {
        const Utf8Text text = to_utf8(c.in, label);
        EXPECT_EQ(text.text, c.out) << label;
        EXPECT_TRUE(text.charset_known) << label;
        EXPECT_FALSE(text.broken) << label;
    }
}

TEST(Charset, falls_back_and_survives_broken_input) {
    EXPECT_FALSE(to_utf8("x", "iso-2022-cn-ext").charset_known);
    EXPECT_FALSE(to_utf8("x", "utf-8//TRANSLIT").charset_known);
    EXPECT_FALSE(to_utf8("x", std::string(10'000, 'x')).charset_known);
    EXPECT_TRUE(to_utf8("\x82", "shift_jis").broken);
    EXPECT_TRUE(to_utf8("a", "utf-16le").broken);
    EXPECT_EQ(to_utf8("a\xFF", "utf-8").text, "a\uFFFD");
    // A shift state must not reach the next text.
    (void)to_utf8("\x1B$B$3", "iso-2022-jp");
    EXPECT_EQ(to_utf8("abc", "iso-2022-jp").text, "abc");
    for (const std::string_view label : {"iso-2022-jp", "iso-2022-kr", "gb18030", "big5", "utf-7",
                                         "euc-jp", "utf-16", "utf-32", "euc-kr", "shift_jis"}) {
        std::string all;
        for (int i = 0; i < 65'536; ++i) {
            all += static_cast<char>(i >> 8);
            all += static_cast<char>(i);
        }
        const Utf8Text text = to_utf8(all, label);
        EXPECT_TRUE(is_valid_utf8(text.text)) << label;
        EXPECT_EQ(text.text.find('\0'), std::string::npos) << label;
    }
}

TEST(TransferEncoding, reads_names) {
    EXPECT_EQ(parse_transfer_encoding(" BASE64 "), TransferEncoding::base64);
    EXPECT_EQ(parse_transfer_encoding("quoted-printable; x"), TransferEncoding::quoted_printable);
    EXPECT_EQ(parse_transfer_encoding("8bit (x)"), TransferEncoding::identity);
    EXPECT_EQ(parse_transfer_encoding(""), TransferEncoding::identity);
    EXPECT_EQ(parse_transfer_encoding("x-uuencode"), TransferEncoding::unknown);
}

TEST(TransferEncoding, decodes_base64) {
    const std::vector<Case> cases{
        {"", ""},    {"YQ==", "a"},       {"YWI=", "ab"},         {"YWJj", "abc"},
        {"YQ", "a"}, {"YW\r\nJj", "abc"}, {"YQ==\r\nYg==", "ab"}, {"YQ== ignored", "a"},
        {"=", ""},   {"====", ""}};
    for (const Case& c : cases)
        EXPECT_EQ(decoded(c.in, TransferEncoding::base64), c.out) << c.in;
    for (const std::string_view bad : {"Y", "Y*Q=", "YQ==x", "?"}) {
        bool broken = false;
        (void)decoded(bad, TransferEncoding::base64, &broken);
        EXPECT_TRUE(broken) << bad;
    }
}

TEST(TransferEncoding, decodes_quoted_printable) {
    const std::vector<Case> cases{
        {"a=3Db", "a=b"},       {"a=\r\nb", "ab"},        {"a= \t\r\nb", "ab"}, {"a=\nb", "ab"},
        {"a  \r\nb", "a\r\nb"}, {"a=20\r\nb", "a \r\nb"}, {"=c3=A4", "ä"},      {"a=", "a"},
        {"a=4", "a=4"},         {"a=zz", "a=zz"},         {"a\tb", "a\tb"}};
    for (const Case& c : cases) {
        EXPECT_EQ(decoded(c.in, TransferEncoding::quoted_printable), c.out) << c.in;
    }
}

TEST(TransferEncoding, is_bounded) {
    const std::string raw(10'000, 'A');
    for (const auto encoding : {TransferEncoding::base64, TransferEncoding::quoted_printable,
                                TransferEncoding::identity, TransferEncoding::unknown}) {
        EXPECT_EQ(decode_body(raw, encoding, 1'000).bytes.size(), 1'000U);
    }
}

TEST(HtmlText, reads_as_a_person_would) {
    const std::vector<Case> cases{
        {"<p>a</p><p>b</p>", "a\n\nb"},
        {"a<br>b<br><br><br><br>c", "a\nb\n\nc"},
        {"<div>a</div><div>b</div>", "a\nb"},
        {" a \n  b ", "a b"},
        {"a&nbsp;b &amp; c", "a b & c"},
        {"<ul><li>a<li>b</ul>", "- a\n- b"},
        {"<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"},
        {"<pre>a\n  b</pre>c", "a\n  b\n\nc"},
        {"x<blockquote>a<p>b</p></blockquote>y", "x\n> a\n>\n> b\n\ny"},
        {"<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>> b"},
        {"<a href=http://x.example/>here</a>", "here <http://x.example/>"},
        {"<a href=http://x.example>x.example</a>", "x.example"},
        {"<a href=mailto:a@b.example>a@b.example</a>", "a@b.example"},
        {"<a href=javascript:x>here</a>", "here"},
        {"<script>x</script><style>y</style><title>z</title>t", "t"},
        {"<span style='display:none'>h</span>t", "t"},
        {"<span style='DISPLAY : None'>h</span>t", "t"},
        {"<span style='font-size:0'>h</span>t", "t"},
        {"<span style='font-size:0px;color:red'>h</span>t", "t"},
        {"<span style='visibility:hidden'>h<b>i</b></span>t", "t"},
        {"<div hidden>h</div>t", "t"},
        {"<span style='max-height:0;overflow:hidden'>h</span>t", "t"},
        {"<span style='font-size:10px'>v</span>", "v"},
        {"<span style='opacity:0.9'>v</span>", "v"},
        {"i\u200Bg\u200Cn\uFEFFore\U000E0041\U000E0042", "ignore"},
        {"<noscript>h</noscript><template>h</template><svg>h</svg>t", "t"},
        {"", ""},
    };
    for (const Case& c : cases)
        EXPECT_EQ(html_to_text(c.in, 1'000), c.out) << c.in;
}

TEST(HtmlText, keeps_hidden_text_hidden_when_nested_too_deep) {
    std::string html = "<div style=display:none>";
    for (int i = 0; i < 1'000; ++i)
        html += "<div>";
    for (int i = 0; i < 1'000; ++i)
        html += "</div>";
    html += "secret</div>shown";
    EXPECT_EQ(html_to_text(html, 100'000), "shown");
}

TEST(HtmlText, is_bounded) {
    for (const std::string_view piece : {"<blockquote>x", "<p>x", "x", "<br>x", "<td>", "<pre> ",
                                         "<a href=http://x.example>x</a>"}) {
        std::string html;
        while (html.size() < 1'000'000)
            html += piece;
        const std::string text = html_to_text(html, 10'000);
        EXPECT_LE(text.size(), 10'000U) << piece;
        EXPECT_TRUE(is_valid_utf8(text));
    }
}

TEST(SafeFileName, is_its_own_result) {
    const std::string cut_at_a_blank = std::string(179, 'a') + " b";
    const std::string cut_at_a_dot = std::string(179, 'a') + ".b c d e f g h i j k l m n o p q r s";
    for (const std::string& name :
         {std::string("a/b"), std::string(".."), std::string("a:b*c?"), std::string("x.tar.gz"),
          std::string(" . a . "), std::string("nul"), std::string("ä\u202Eb"), cut_at_a_blank,
          cut_at_a_dot}) {
        const std::string safe = safe_file_name(name);
        EXPECT_EQ(safe_file_name(safe), safe) << name;
    }
}

}  // namespace
}  // namespace postern::reader
