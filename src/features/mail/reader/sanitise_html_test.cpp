#include "features/mail/reader/sanitise_html.h"

#include "features/mail/reader/html_oracle.h"
#include "features/mail/reader/html_policy.h"
#include "features/mail/reader/utf8_text.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

using namespace std::string_view_literals;

std::string clean(std::string_view html, const SanitiseOptions& options = {}) {
    SanitiseReport report;
    return sanitise_html(html, report, options);
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i)
        out += text;
    return out;
}

// What every output must fulfil, whatever the input.
void expect_safe(std::string_view html, const SanitiseOptions& options = {}) {
    const std::string once = clean(html, options);
    EXPECT_EQ(HtmlOracle::fault(once), "") << html.substr(0, 200);
    EXPECT_TRUE(is_valid_utf8(once)) << html.substr(0, 200);
    EXPECT_LE(once.size(), options.output_bytes_max);
    EXPECT_EQ(clean(once, options), once) << html.substr(0, 200);
}

struct Case {
    std::string_view in;
    std::string_view out;
};

TEST(SanitiseHtml, keeps_what_mail_needs) {
    const std::vector<Case> cases{
        {"plain", "plain"},
        {"<p>a<br>b</p>", "<p>a<br>b</p>"},
        {"<P CLASS=x>a</P>", "<p>a</p>"},
        {"<p>one<p>two", "<p>one</p><p>two</p>"},
        {"<b>x<i>y</b>z</i>", "<b>x<i>y</i></b>z"},
        {"<strike>a</strike><ins>b</ins><tt>c</tt>", "<s>a</s><u>b</u><code>c</code>"},
        {"<center>a</center>", "<div>a</div>"},
        {"<font color=red size=7>a</font>", "a"},
        {"<html><head><title>t</title></head><body>a</body></html>", "a"},
        {"<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"},
        {"<ol><li>a<ul><li>b</ol>", "<ol><li>a<ul><li>b</li></ul></li></ol>"},
        {"<table><tr><td colspan=2>a<td rowspan='3'>b</table>",
         R"(<table><tr><td colspan="2">a</td><td rowspan="3">b</td></tr></table>)"},
        {"<table><td>a<tr><td>b", "<table><tr><td>a</td></tr><tr><td>b</td></tr></table>"},
        {"<table>text<tr><td>a</table>",
         "<table><tr><td>text</td></tr><tr><td>a</td></tr></table>"},
        {"<td>lost</td>", "lost"},
        {"<td colspan=0><td colspan=9999>", ""},
        {"<table><tr><td colspan=9999 rowspan=-1>x</table>", "<table><tr><td>x</td></tr></table>"},
        {"<div dir=RTL>x</div>", R"(<div dir="rtl">x</div>)"},
        {"<div dir=up>x</div>", "<div>x</div>"},
        {"<h1>a<h2>b</h2>", "<h1>a</h1><h2>b</h2>"},
        {"<pre>a\n  b</pre>", "<pre>a\n  b</pre>"},
        {"a &lt; b &amp; c &copy; &#8364; &#x1F600;", "a &lt; b &amp; c © € 😀"},
        {"&#128; &#150;", "€ –"},
        {"<3 a<b", "&lt;3 a"},
        {"AT&T &unknown; &amp;lt;", "AT&amp;T &amp;unknown; &amp;lt;"},
        {"<a href=http://x.example/?a=1&amp;b=2>l</a>",
         R"(<a href="http://x.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow">l</a>)"},
        {"<a href=' HTTPS://x.example '>l</a>",
         R"(<a href="https://x.example" rel="noopener noreferrer nofollow">l</a>)"},
        {"<a href=mailto:a@example.com>l</a>",
         R"(<a href="mailto:a@example.com" rel="noopener noreferrer nofollow">l</a>)"},
        {"<a href=http://a.example>x<a href=http://b.example>y</a>",
         R"(<a href="http://a.example" rel="noopener noreferrer nofollow">x</a>)"
         R"(<a href="http://b.example" rel="noopener noreferrer nofollow">y</a>)"},
        {"<img src=cid:a@b alt='a \"b\"' width=9>", R"(<img src="cid:a@b" alt="a &quot;b&quot;">)"},
        {"<form action=http://x.example>keep<input name=a><label>this</label></form>",
         "<div>keepthis</div>"},
        {"<o:p>x</o:p>", "x"},
        {"<!--[if mso]><p>outlook</p><![endif]-->x", "x"},
        {"<![if !mso]>x<![endif]>", "x"},
        {"a<!-- c -->b", "ab"},
        {"a<!-->b", "ab"},
        {"a<!-- --!>b", "ab"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(clean(c.in), c.out) << c.in;
        expect_safe(c.in);
    }
}

const std::vector<Case> k_hostile{
    {"<script>alert(1)</script>x", "x"},
    {"<SCRIPT SRC=//evil.example/x.js></SCRIPT>x", "x"},
    {"<scr\0ipt>alert(1)</script>x"sv, "x"},
    {"<script>alert(1)", ""},
    {"<script><!--<script>x</script>y", "y"},
    {"<script/x>alert(1)</script >x", "x"},
    {"<<script>alert(1)//<</script>x", "&lt;x"},
    {"<scr<script>ipt>x</script>y", "ipt&gt;xy"},
    {"<style>@import 'http://evil.example';</style>x", "x"},
    {"<style><img src=x onerror=alert(1)></style>x", "x"},
    {"<p style='background:url(http://evil.example)'>x</p>", "<p>x</p>"},
    {"<p style=\"behavior:url(#x);-moz-binding:url(x)\">x</p>", "<p>x</p>"},
    {"<div onclick=alert(1) onmouseover='a'>x</div>", "<div>x</div>"},
    {"<div/onclick=alert(1)>x</div>", "<div>x</div>"},
    {"<img src=x onerror=alert(1)>", ""},
    {"<img src=http://evil.example/p.gif>", ""},
    {"<img src=//evil.example/p.gif>", ""},
    {"<img src=\\\\evil.example\\p.gif>", ""},
    {"<img srcset='http://evil.example/p 2x' src=cid:a>", R"(<img src="cid:a">)"},
    {"<img src=cid:a src=http://evil.example>", R"(<img src="cid:a">)"},
    {"<img src='data:image/svg+xml,<svg onload=alert(1)>'>", ""},
    {"<img src='cid:\" onerror=alert(1) x=\"'>", ""},
    {"<img src='cid:a?http://evil.example'>", ""},
    {"<image src=http://evil.example>", ""},
    {"<img lowsrc=http://evil.example dynsrc=x longdesc=y src=cid:b>", R"(<img src="cid:b">)"},
    {"<img/src=cid:c/onerror=alert(1)>", ""},
    {"<table background=http://evil.example><tr><td background=x>y</table>",
     "<table><tr><td>y</td></tr></table>"},
    {"<body background=http://evil.example onload=alert(1)>x", "x"},
    {"<a href=javascript:alert(1)>x</a>", "x"},
    {"<a href=JaVaScRiPt:alert(1)>x</a>", "x"},
    {"<a href='java\tscript:alert(1)'>x</a>", "x"},
    {"<a href='java&#9;script&colon;alert(1)'>x</a>", "x"},
    {"<a href=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>x</a>", "x"},
    {"<a href=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)>x</a>", "x"},
    {"<a href=&#0000106avascript:alert(1)>x</a>", "x"},
    {"<a href='\x01javascript:alert(1)'>x</a>", "x"},
    {"<a href='&NewLine;javascript&Tab;:alert(1)'>x</a>", "x"},
    {"<a href=vbscript:msgbox(1)>x</a>", "x"},
    {"<a href='data:text/html,<script>alert(1)</script>'>x</a>", "x"},
    {"<a href=/relative>x</a>", "x"},
    {"<a href=//evil.example>x</a>", "x"},
    {"<a href=https:evil.example>x</a>", "x"},
    {"<a href='https://good.example@evil.example/'>x</a>", "x"},
    {"<a href='https://good.example\\@evil.example/'>x</a>", "x"},
    {"<a href='https://a.example/\"onmouseover=alert(1) x=\"'>x</a>",
     R"(<a href="https://a.example/&quot;onmouseover=alert(1)%20x=&quot;" )"
     R"(rel="noopener noreferrer nofollow">x</a>)"},
    {"<a href='javascript:a' href='https://a.example'>x</a>", "x"},
    {"<a href=file:///etc/passwd>x</a>", "x"},
    {"<a href=feed:javascript:alert(1)>x</a>", "x"},
    {"<a href=view-source:http://a.example>x</a>", "x"},
    {"<a xlink:href=javascript:alert(1)>x</a>", "x"},
    {"<a name=x id=y>t</a>", "t"},
    {"<svg onload=alert(1)>x", ""},
    {"<svg/>x", "x"},
    {"<svg><script>alert(1)</script></svg>x", "x"},
    {"<svg><a xlink:href=javascript:alert(1)><text>t</text></a></svg>x", "x"},
    {"<svg><svg></svg><p>in</p></svg>x", "x"},
    {"<svg><style><!--</style><img src=x onerror=alert(1)>--></style></svg>x", "x"},
    {"<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">", ""},
    {"<math><mtext><table><mglyph><style><!--</style><img title=\"--><img src=1 "
     "onerror=alert(1)>\"></math>x",
     "x"},
    {"<math><annotation-xml encoding=text/html><p>t</annotation-xml></math>x", "x"},
    {"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>x", "x"},
    {"<template><p>t</p></template>x", "x"},
    {"<template><template></template><p>t</p></template>x", "x"},
    {"<iframe src=http://evil.example></iframe>x", "x"},
    {"<iframe srcdoc='<script>alert(1)</script>'>t</iframe>x", "x"},
    {"<object data=x><p>t</p></object>x", "x"},
    {"<embed src=http://evil.example>x", "x"},
    {"<applet code=x>t</applet>x", "x"},
    {"<meta http-equiv=refresh content='0;url=http://evil.example'>x", "x"},
    {"<meta http-equiv=Content-Type content='text/html;charset=utf-7'>+ADw-script+AD4-",
     "+ADw-script+AD4-"},
    {"<base href=http://evil.example/>x", "x"},
    {"<link rel=stylesheet href=http://evil.example>x", "x"},
    {"<link rel=dns-prefetch href=//evil.example>x", "x"},
    {"<video poster=http://evil.example src=x>t</video>x", "x"},
    {"<audio src=x autoplay>t</audio>x", "x"},
    {"<picture><source srcset=http://evil.example><img src=cid:p></picture>",
     R"(<img src="cid:p">)"},
    {"<input type=image src=http://evil.example>x", "x"},
    {"<button formaction=javascript:alert(1)>t</button>x", "x"},
    {"<select><option>o</select>x", "x"},
    {"<textarea><img src=x onerror=alert(1)></textarea>x", "x"},
    {"<title><img src=x onerror=alert(1)></title>x", "x"},
    {"<xmp><img src=x onerror=alert(1)></xmp>x", "x"},
    {"<plaintext><p>t", ""},
    {"<noembed><img src=x></noembed><noframes><p>t</noframes>x", "x"},
    {"<marquee onstart=alert(1)>x</marquee>", "x"},
    {"<details open ontoggle=alert(1)>x</details>", "x"},
    {"<isindex type=image src=1 onerror=alert(1)>", ""},
    {"<frameset onload=alert(1)><frame src=x></frameset>x", "x"},
    {"<xml id=x><i><b>&lt;img src=x&gt;</b></i></xml>x", "x"},
    {"<?xml version=1.0?><?php echo 1 ?>x", "x"},
    {"<!DOCTYPE html [<!ENTITY x 'y'>]>x", "]&gt;x"},
    {"<![CDATA[<script>alert(1)</script>]]>", "alert(1)]]&gt;"},
    {"</p></div></table>x", "x"},
    {"</script>x</style>", "x"},
    {"<p title='>'onclick=alert(1)>x", "<p>x</p>"},
    {"<p a=`x` onclick=`y`>x", "<p>x</p>"},
    {"<p =\"x\" onclick=y>x", "<p>x</p>"},
    {"<p x=\"<script>\">y</p>", "<p>y</p>"},
    {"<p x='unclosed>y</p><b>z", ""},
    {"<p unclosed", ""},
    {"<a href=\"http://a.example", ""},
    {"x<!-- unclosed <p>y", "x"},
    {"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"&#60;img src=x&#62;", "&lt;img src=x&gt;"},
    {"&amp;lt;script&amp;gt;", "&amp;lt;script&amp;gt;"},
    {"&#0;&#xD800;&#x110000;&#99999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD"},
    {"a\x08\x1b[31mb", "a[31mb"},
    {"\xC3\x28\xFF<p>", "\uFFFD(\uFFFD<p></p>"},
    {"\xC0\xBCscript\xC0\xBE", "\uFFFD\uFFFDscript\uFFFD\uFFFD"},
    {"<b\xC2\xA0onclick=x>y", "y"},
    {"<p>'\"`</p>", "<p>&#39;&quot;&#96;</p>"},
    {"<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
     "<div></div>"},
    {"<table><a href=http://x.example><tr><td>y</table>",
     R"(<table><tr><td><a href="http://x.example" rel="noopener noreferrer nofollow"></a>)"
     "</td></tr><tr><td>y</td></tr></table>"},
};

TEST(SanitiseHtml, disarms_hostile_html) {
    EXPECT_GE(k_hostile.size(), 60U);
    for (const Case& c : k_hostile) {
        EXPECT_EQ(clean(c.in), c.out) << c.in;
        expect_safe(c.in);
    }
}

TEST(SanitiseHtml, counts_what_it_left_out) {
    SanitiseReport report;
    (void)sanitise_html(
        "<img src=http://a.example/1><img src=//b.example><img src=data:x><img src=cid:no>"
        "<a href=javascript:x>y</a><script>z</script>",
        report, {.content_ids = nullptr});
    EXPECT_EQ(report.remote_images, 2U);
    EXPECT_EQ(report.dropped_images, 1U);
    EXPECT_EQ(report.dropped_links, 1U);
    EXPECT_EQ(report.dropped_elements, 1U);
    EXPECT_FALSE(report.cut);
}

TEST(SanitiseHtml, keeps_only_images_of_this_mail) {
    const std::set<std::string> ids{"logo@example.com", "a%b"};
    const SanitiseOptions options{.content_ids = &ids};
    EXPECT_EQ(clean("<img src=cid:logo@example.com><img src=cid:other>", options),
              R"(<img src="cid:logo@example.com">)");
    EXPECT_EQ(clean("<img src=CID:logo%40example.com>", options),
              R"(<img src="cid:logo@example.com">)");
    EXPECT_EQ(clean("<img src=cid:a%25b>", options), "");
}

TEST(SanitiseHtml, is_bounded_when_input_is_built_to_cost) {
    const std::vector<std::string> inputs{
        repeated("<div>", 60'000) + "x",
        repeated("<b>", 20'000) + repeated("</i>", 20'000) + "x",
        repeated("<table>", 20'000) + "x",
        repeated("<table><tr><td>", 5'000) + "x" + repeated("</table>", 5'000),
        repeated("<ul><li>", 20'000) + "x",
        repeated("<blockquote>", 300) + "x" + repeated("</blockquote>", 300) + "y",
        repeated("<a href=http://x.example>", 20'000),
        repeated("<svg>", 20'000),
        repeated("<!-- --!>", 60'000) + "-->",
        repeated("<!--", 30'000),
        repeated("<", 60'000),
        repeated("&", 60'000),
        repeated("&#", 20'000),
        repeated("<p x='", 20'000),
        repeated("</", 20'000),
        repeated("<style>", 60'000),
        repeated("<p>", 20'000),
        "<p " + repeated("a ", 20'000) + ">x",
        std::string(60'000, '\0'),
        std::string(60'000, '\xFF'),
    };
    for (const std::string& input : inputs)
        expect_safe(input);
    std::string attributes = "<p ";
    for (int i = 0; i < 20'000; ++i)
        attributes += "x" + std::to_string(i) + "=1 ";
    expect_safe(attributes + ">x</p>");
}

TEST(SanitiseHtml, cuts_output_at_its_bound) {
    for (const std::size_t bytes : {0, 1, 7, 10, 50, 64, 100, 333}) {
        const SanitiseOptions options{.output_bytes_max = bytes};
        expect_safe("<div><b>" + repeated("ä&<p>x", 200) + "</b></div>", options);
        expect_safe("<table><tr><td>" + repeated("x<td>", 200), options);
        expect_safe("<table>" + repeated("x<a href=http://x.example>y</a><tr>", 50), options);
    }
    for (std::size_t bytes = 0; bytes < 80; ++bytes) {
        expect_safe("\"x<table> text in no cell</a>", {.output_bytes_max = bytes});
        expect_safe("<p>x<ul><li><table><td><hr>y", {.output_bytes_max = bytes});
    }
    SanitiseReport report;
    const std::string out = sanitise_html(repeated("a&", 2'000'000), report);
    EXPECT_TRUE(report.cut);
    EXPECT_LE(out.size(), 2U << 20U);
    EXPECT_GT(out.size(), (2U << 20U) - 64);
}

TEST(SanitiseHtml, keeps_content_when_nested_deeper_than_its_bound) {
    const std::string out =
        clean(repeated("<div>", 400) + "deep" + repeated("</div>", 400) + "<p>after</p>");
    EXPECT_NE(out.find("deep"), std::string::npos);
    EXPECT_NE(out.find("after"), std::string::npos);
}

// Every pair and triple of fragments: where rules of nesting meet.
TEST(SanitiseHtml, is_idempotent_for_all_combinations_of_fragments) {
    const std::vector<std::string_view> fragments{"<p>",
                                                  "</p>",
                                                  "<div>",
                                                  "</div>",
                                                  "<b>",
                                                  "</b>",
                                                  "<table>",
                                                  "</table>",
                                                  "<tr>",
                                                  "</tr>",
                                                  "<td>",
                                                  "</td>",
                                                  "<tbody>",
                                                  "<thead>",
                                                  "<ul>",
                                                  "</ul>",
                                                  "<li>",
                                                  "<h1>",
                                                  "</h1>",
                                                  "<pre>",
                                                  "<a href=http://x>",
                                                  "</a>",
                                                  "<blockquote>",
                                                  "</blockquote>",
                                                  "<br>",
                                                  "<hr>",
                                                  "x",
                                                  " ",
                                                  "<img src=cid:a>",
                                                  "<svg>",
                                                  "</svg>",
                                                  "&amp",
                                                  ";",
                                                  "<script>",
                                                  "</script>",
                                                  "<form>"};
    for (const std::string_view a : fragments) {
        for (const std::string_view b : fragments) {
            for (const std::string_view c : fragments) {
                const std::string html = std::string(a) + std::string(b) + std::string(c) + "t";
                const std::string once = clean(html);
                ASSERT_EQ(HtmlOracle::fault(once), "") << html;
                ASSERT_EQ(clean(once), once) << html;
            }
        }
    }
}

TEST(SanitiseHtml, is_safe_for_random_soup) {
    const std::vector<std::string_view> pieces{
        "<",      ">",    "/",     "\"",     "'",    "=",    " ",           "&",
        ";",      "!",    "--",    "#",      "x",    "p",    "a",           "table",
        "td",     "svg",  "style", "script", "href", "src",  "javascript:", "http://x",
        "cid:a",  "on",   "\n",    "math",   "li",   "tr",   "img",         "&lt;",
        "&#x3c;", "<!--", "-->",   "<p>",    "</",   "\xC3", "\xA4"};
    std::uint32_t state = 20'260'401;
    for (int round = 0; round < 20'000; ++round) {
        std::string html;
        for (int i = 0; i < 24; ++i) {
            state = state * 1'664'525U + 1'013'904'223U;
            html += pieces[(state >> 16U) % pieces.size()];
        }
        const std::string once = clean(html);
        ASSERT_EQ(HtmlOracle::fault(once), "") << html;
        ASSERT_EQ(clean(once), once) << html;
    }
}

TEST(HtmlOracle, finds_faults_of_others) {
    for (const std::string_view bad :
         {"<script>", "<p onclick=\"x\">", "<a href=\"javascript:x\">", "<img src=\"http://x\">",
          "<p", "<p >", "a > b", "&copy;", "<P>", "<!-- -->", "<svg>", "\x01", "<a href='x'>"}) {
        EXPECT_NE(HtmlOracle::fault(bad), "") << bad;
    }
    EXPECT_EQ(HtmlOracle::fault("<p dir=\"rtl\">a &amp; b</p>"), "");
}

TEST(SafeLink, accepts_and_refuses) {
    EXPECT_EQ(safe_link("HTTP://a.example/x y"), "http://a.example/x%20y");
    EXPECT_EQ(safe_link("https://a.example:8443/?q=1#f"), "https://a.example:8443/?q=1#f");
    EXPECT_EQ(safe_link("ht\ntps://a.example"), "https://a.example");
    EXPECT_EQ(safe_link("https://a.example/\\x"), "https://a.example/%5Cx");
    for (const std::string_view bad :
         {"", ":", "http:", "http://", "https:///x", "ftp://a.example", "mailto:", "mailto://x",
          "javascript://a.example/%0aalert(1)", "https://a@b.example", "https://a.example%2f@b"}) {
        EXPECT_EQ(safe_link(bad), "") << bad;
    }
    EXPECT_EQ(safe_link("https://a.example/" + std::string(5000, 'x')), "");
}

}  // namespace
}  // namespace postern::reader
