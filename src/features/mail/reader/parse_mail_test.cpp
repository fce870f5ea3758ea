#include "features/mail/reader/parse_mail.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/reader_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

using namespace std::string_view_literals;

ParsedMail parsed(std::string_view raw, const ParseLimits& limits = {}) {
    auto mail = parse_mail(as_bytes(raw), limits);
    EXPECT_TRUE(mail.has_value());
    return mail ? std::move(*mail) : ParsedMail{};
}

std::string many_parts(std::size_t count) {
    std::string raw = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (std::size_t i = 0; i < count; ++i)
        raw += "--b\nContent-Type: image/png\n\nx\n";
    return raw + "--b--\n";
}

std::string nested(std::size_t levels) {
    std::string raw;
    for (std::size_t i = 0; i < levels; ++i) {
        const std::string name = "b" + std::to_string(i) + ".";
        raw += "Content-Type: multipart/mixed; boundary=\"" + name + "\"\n\n--" + name + "\n";
    }
    raw += "\ninnermost\n";
    for (std::size_t i = levels; i-- > 0;)
        raw += "--b" + std::to_string(i) + ".--\n";
    return raw;
}

TEST(ParseMail, reads_a_reply_of_each_kind_of_client) {
    const ParsedMail mail = parsed(
        "From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\n"
        "Sender: s@example.com\r\nReply-To: r@example.com\r\n"
        "To: \"Doe, Jane\" <jane@example.com>, b@example.com\r\nCc: c@example.com\r\n"
        "Subject: Re: =?utf-8?b?8J+Yig==?= hello\r\n"
        "Date: Tue, 7 Apr 2026 10:00:00 +0200\r\n"
        "Message-ID: <m@example.com>\r\nIn-Reply-To: <p@example.com>\r\n"
        "References: <root@example.com>\r\n <p@example.com>\r\n"
        "Auto-Submitted: Auto-Replied (rule)\r\nList-Id: news <news.example.com>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYes!\r\n\r\n"
        "On Mon, 6 Apr 2026, Postern <p@example.com> wrote:\r\n> question\r\n"
        "--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>Yes!</p><script>1</script><img src=http://t.example/p.gif>\r\n--x--\r\n");
    EXPECT_EQ(mail.from, (std::vector<Mailbox>{{"Jürgen", "j@example.com"}}));
    EXPECT_EQ(mail.sender, (std::vector<Mailbox>{{"", "s@example.com"}}));
    EXPECT_EQ(mail.reply_to, (std::vector<Mailbox>{{"", "r@example.com"}}));
    EXPECT_EQ(mail.to,
              (std::vector<Mailbox>{{"Doe, Jane", "jane@example.com"}, {"", "b@example.com"}}));
    EXPECT_EQ(mail.cc, (std::vector<Mailbox>{{"", "c@example.com"}}));
    EXPECT_EQ(mail.subject, "Re: 😊 hello");
    EXPECT_EQ(mail.date, std::optional<UnixMs>(1'775'548'800'000));
    EXPECT_EQ(mail.message_id, "m@example.com");
    EXPECT_EQ(mail.in_reply_to, std::vector<std::string>{"p@example.com"});
    EXPECT_EQ(mail.references, (std::vector<std::string>{"root@example.com", "p@example.com"}));
    EXPECT_EQ(mail.auto_submitted, "auto-replied");
    EXPECT_EQ(mail.list_id, "news <news.example.com>");
    EXPECT_EQ(mail.new_text, "Yes!");
    EXPECT_EQ(mail.quoted_text, "On Mon, 6 Apr 2026, Postern <p@example.com> wrote:\n> question");
    EXPECT_EQ(mail.html, "<p>Yes!</p>");
    EXPECT_EQ(mail.remote_images, 1U);
    EXPECT_TRUE(mail.attachments.empty());
    EXPECT_TRUE(mail.defects.list().empty());
}

TEST(ParseMail, opens_no_nested_mail) {
    const ParsedMail mail = parsed(
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n"
        "--x\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; "
        "boundary=y\n\n--y\n\ninner text\n--y--\n--x--\n");
    EXPECT_EQ(mail.text, "text");
    ASSERT_EQ(mail.attachments.size(), 1U);
    EXPECT_EQ(mail.attachments[0].type, "message/rfc822");
    EXPECT_TRUE(as_text(mail.attachments[0].bytes).starts_with("Subject: inner\n"));
    EXPECT_TRUE(as_text(mail.attachments[0].bytes).ends_with("--y--"));
}

TEST(ParseMail, gives_calendar_smime_and_tnef_as_attachments) {
    const ParsedMail mail = parsed(
        "Content-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n"
        "--x\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\n"
        "--x\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\nx\n--x--\n");
    ASSERT_EQ(mail.attachments.size(), 3U);
    EXPECT_EQ(mail.attachments[0].name, "attachment-1.ics");
    EXPECT_EQ(mail.attachments[1].name, "winmail.dat");
    EXPECT_EQ(mail.attachments[2].name, "smime.p7m");
    EXPECT_EQ(mail.text, "");
}

TEST(ParseMail, tells_what_a_calendar_answered) {
    const auto answers = [](const std::string& type) {
        const auto mail = parse_mail(
            as_bytes("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nyes\r\n"
                     "--b\r\nContent-Type: " +
                     type + "\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n"));
        return mail && mail->answers_invitation;
    };
    EXPECT_TRUE(answers("text/calendar; charset=utf-8; method=REPLY"));
    EXPECT_TRUE(answers("TEXT/Calendar; method=\"Counter\""));
    EXPECT_FALSE(answers("text/calendar; method=REQUEST"));
    EXPECT_FALSE(answers("text/calendar"));
    EXPECT_FALSE(answers("text/plain; method=REPLY"));
}

TEST(ParseMail, makes_file_names_harmless) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"filename=\"../../etc/passwd\"", "passwd"},
        {"filename=\"C:\\Windows\\evil.exe\"", "evil.exe"},
        {"filename=\"\\\\\\\\host\\\\share\\\\x.txt\"", "x.txt"},
        {"filename=.htaccess", "htaccess"},
        {"filename=\"a\x01\x02.txt\"", "a.txt"},
        {"filename*=utf-8''%E2%80%AEgpj.exe", "gpj.exe"},
        {"filename*=utf-8''a%00b%0D%0A.txt", "ab .txt"},
        {"filename*0=\"one-\"; filename*1=\"two.txt\"", "one-two.txt"},
        {"filename*0*=iso-8859-1''%E4; filename*1*=%F6.txt", "äö.txt"},
        {"filename=\"=?utf-8?q?=C3=A4.pdf?=\"", "ä.pdf"},
        {"filename=\"CON.txt\"", "_CON.txt"},
        {"filename=\"...\"", "attachment-1"},
        {"filename=\"\"", "attachment-1"},
    };
    for (const auto& [param, name] : cases) {
        const ParsedMail mail =
            parsed("Content-Type: application/octet-stream\nContent-Disposition: attachment; " +
                   std::string(param) + "\n\nx");
        ASSERT_EQ(mail.attachments.size(), 1U) << param;
        EXPECT_EQ(mail.attachments[0].name, name) << param;
    }
    const ParsedMail mail = parsed("Content-Disposition: attachment; filename=\"" +
                                   std::string(4000, 'n') + ".pdf\"\n\nx");
    EXPECT_EQ(mail.attachments.at(0).name.size(), 180U);
    EXPECT_TRUE(mail.attachments.at(0).name.ends_with(".pdf"));
}

TEST(ParseMail, refuses_more_than_a_thousand_parts) {
    EXPECT_EQ(parsed(many_parts(1'000)).attachments.size(), 1'000U);
    const auto refused = parse_mail(as_bytes(many_parts(1'001)));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(ReaderError::too_many_parts));
}

TEST(ParseMail, refuses_more_than_fifty_megabytes) {
    ParseLimits limits;
    limits.bytes = 100;
    EXPECT_TRUE(parse_mail(as_bytes(std::string(100, 'x')), limits));
    const auto refused = parse_mail(as_bytes(std::string(101, 'x')), limits);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(ReaderError::mail_too_large));
}

TEST(ParseMail, cuts_a_hundred_levels_into_one_attachment) {
    EXPECT_EQ(parsed(nested(32)).text, "innermost");
    EXPECT_FALSE(parsed(nested(32)).defects.has(Defect::depth_cut));
    const ParsedMail mail = parsed(nested(100));
    EXPECT_TRUE(mail.defects.has(Defect::depth_cut));
    ASSERT_EQ(mail.attachments.size(), 1U);
    EXPECT_EQ(mail.attachments[0].type, "multipart/mixed");
    EXPECT_NE(as_text(mail.attachments[0].bytes).find("innermost"), std::string_view::npos);
}

TEST(ParseMail, reads_a_fifty_megabyte_attachment_once) {
    std::string raw =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: "
        "application/zip; name=big.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    const std::string line = std::string(76, 'Q') + "\r\n";
    const std::size_t lines = ((50U << 20U) - raw.size() - 16) / line.size();
    raw.reserve(50U << 20U);
    for (std::size_t i = 0; i < lines; ++i)
        raw += line;
    raw += "--b--\r\n";
    const auto start = std::chrono::steady_clock::now();
    const ParsedMail mail = parsed(raw);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    ASSERT_EQ(mail.attachments.size(), 1U);
    EXPECT_EQ(mail.attachments[0].bytes.size(), lines * 57);
    EXPECT_LE(mail.attachments[0].bytes.capacity(), raw.size());
    EXPECT_EQ(mail.text, "text");
    RecordProperty("seconds", std::to_string(taken.count()));
}

TEST(ParseMail, is_linear_when_a_mail_is_built_to_cost) {
    const std::vector<std::string_view> lines{"--b\n",  "--b--\n", "--\n", "\n",
                                              "--bx\n", "a: b\n",  ":\n",  "x\n"};
    for (const std::string_view line : lines) {
        for (const bool in_header : {true, false}) {
            std::string raw = "Content-Type: multipart/mixed; boundary=b\n";
            if (!in_header) raw += "\n--b\n\n";
            while (raw.size() < 60'000)
                raw += line;
            (void)parse_mail(as_bytes(raw));
        }
    }
    std::string raw = nested(31);
    while (raw.size() < 150'000)
        raw += "--b\n";
    (void)parse_mail(as_bytes(raw));
}

TEST(ParseMail, cuts_headers_at_their_bounds) {
    // 64 KiB and 1 MiB of one field are read whole, with ours first, in the middle and last.
    for (const std::size_t bytes : {64U << 10U, 1U << 20U}) {
        std::string raw = "References: <first@x>\r\n";
        const std::string filler = " <" + std::string(900, 'f') + "@x>\r\n";
        while (raw.size() + filler.size() + 64 < bytes)
            raw += filler;
        raw += " <last@x>\r\nSubject: s\r\n\r\nbody";
        const ParsedMail mail = parsed(raw);
        EXPECT_EQ(mail.references.front(), "first@x");
        EXPECT_EQ(mail.references.back(), "last@x");
        EXPECT_EQ(mail.subject, "s");
        EXPECT_FALSE(mail.defects.has(Defect::headers_cut));
    }
    const ParsedMail large = parsed("Subject: s\nX: " + std::string(2U << 20U, 'x') + "\n\nbody");
    EXPECT_EQ(large.subject, "s");
    EXPECT_EQ(large.text, "body");
    EXPECT_TRUE(large.defects.has(Defect::headers_cut));

    std::string raw;
    for (int i = 0; i < 1'000; ++i)
        raw += "X-" + std::to_string(i) + ": y\n";
    EXPECT_FALSE(parsed(raw + "\nbody").defects.has(Defect::headers_cut));
    const ParsedMail many = parsed(raw + "X: y\n\nbody");
    EXPECT_TRUE(many.defects.has(Defect::headers_cut));
    EXPECT_EQ(many.text, "body");
}

TEST(ParseMail, keeps_root_and_parent_of_many_references) {
    std::string raw = "References:";
    for (int i = 0; i < 1'100; ++i)
        raw += "\n <" + std::to_string(i) + "@x>";
    EXPECT_EQ(parsed(raw + "\n\n").references.size(), 1'100U);
    for (int i = 1'100; i < 5'000; ++i)
        raw += "\n <" + std::to_string(i) + "@x>";
    const ParsedMail mail = parsed(raw + "\n\n");
    EXPECT_EQ(mail.references.size(), 4'000U);
    EXPECT_EQ(mail.references.front(), "0@x");
    EXPECT_EQ(mail.references.back(), "4999@x");
    EXPECT_TRUE(mail.defects.has(Defect::references_cut));
}

TEST(ParseMail, cuts_addresses_and_text_at_their_bounds) {
    std::string raw = "To: a@x";
    for (int i = 1; i < 1'001; ++i)
        raw += ",\n a" + std::to_string(i) + "@x";
    const ParsedMail mail = parsed(raw + "\n\n" + std::string(3U << 20U, 't'));
    EXPECT_EQ(mail.to.size(), 1'000U);
    EXPECT_TRUE(mail.defects.has(Defect::addresses_cut));
    EXPECT_EQ(mail.text.size(), 2U << 20U);
    EXPECT_TRUE(mail.defects.has(Defect::text_cut));
    const ParsedMail html =
        parsed("Content-Type: text/html\n\n" + std::string(3U << 20U, 't') + "<p>end");
    EXPECT_LE(html.html.size(), 2U << 20U);
    EXPECT_TRUE(html.defects.has(Defect::html_cut));
}

TEST(ParseMail, is_not_misled_by_boundaries) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"boundary=ab\n\n--a\n--abc\n--ab\n\nx\n--ab--\n", "x"},
        {"boundary=ab\n\n--ab  \t\n\nx\n--ab-- \n", "x"},
        {"boundary=\"a b\"\n\n--a b\n\nx\n--a b--\n", "x"},
        {"boundary='ab'\n\n--'ab'\n\nx\n--'ab'--\n", "x"},
        {"boundary=ab\n\n--ab\n\nx", "x"},
        {"boundary=ab\n\n--ab--\n\nx", ""},
        {"boundary=ab\n\n--ab\n--ab\n\nx\n--ab--", "x"},
        {"boundary=ab\n\n--ab\n\nx\n--ab--\nepilogue\n--ab\n\ny", "x"},
        {"boundary=\n\n--\n\nx", "--\n\nx"},
        {"nothing\n\nx", "x"},
        {"boundary=ab; boundary=cd\n\n--ab\n\nx\n--cd\n\ny\n--ab--", "x\n--cd\n\ny"},
        {"boundary*=us-ascii''a%62\n\n--ab\n\nx\n--ab--", "x"},
        {"boundary*0=a; boundary*1=b\n\n--ab\n\nx\n--ab--", "x"},
        {"boundary=\"ab\n\n--ab\n\nx\n--ab--", "x"},
    };
    for (const auto& [rest, text] : cases) {
        EXPECT_EQ(parsed("Content-Type: multipart/mixed; " + std::string(rest)).text, text) << rest;
    }
}

TEST(ParseMail, decodes_charsets_and_says_what_was_wrong) {
    const auto body = [](std::string_view charset, std::string_view bytes) {
        return parsed("Content-Type: text/plain; charset=\"" + std::string(charset) + "\"\n\n" +
                      std::string(bytes));
    };
    EXPECT_EQ(body("ISO-8859-1", "Fr\xF6sche").text, "Frösche");
    EXPECT_EQ(body("windows-1252", "\x80 \x93q\x94").text, "€ “q”");
    EXPECT_EQ(body("ISO-2022-JP", "\x1B$B$3$s\x1B(B").text, "こん");
    EXPECT_EQ(body("GB18030", "\xC4\xE3\xBA\xC3").text, "你好");
    EXPECT_EQ(body("", "Fr\xF6sche").text, "Frösche");
    EXPECT_EQ(body("utf-8", "a\0b"sv).text, "ab");
    EXPECT_TRUE(body("utf-8", "\xFF").defects.has(Defect::charset_broken));
    const ParsedMail unknown = body("x-martian", "Fr\xF6sche");
    EXPECT_EQ(unknown.text, "Frösche");
    EXPECT_TRUE(unknown.defects.has(Defect::charset_unknown));
    EXPECT_EQ(body("x-martian", "Frösche").text, "Frösche");
}

TEST(ParseMail, shows_no_control_or_direction_override_in_names) {
    const ParsedMail mail = parsed(
        "Subject: pay =?utf-8?q?=E2=80=AEexe=2Efdp?=\x07 =?utf-8?q?a=0Ab=00c?=\n"
        "From: =?utf-8?q?=E2=80=8BBank=F3=A0=81=81?= <a@b.example>\n\n");
    EXPECT_EQ(mail.subject, "pay exe.fdp a bc");
    EXPECT_EQ(mail.from.at(0).name, "Bank");
}

TEST(ParseMail, reads_text_from_html_when_there_is_no_text) {
    const ParsedMail mail = parsed(
        "Content-Type: text/html\n\n<p>Hi</p><p style='display:none'>ignore previous</p>"
        "<blockquote>old</blockquote>");
    EXPECT_EQ(mail.text, "Hi\n\n> old");
    EXPECT_EQ(mail.new_text, "Hi");
    EXPECT_EQ(mail.quoted_text, "> old");
}

TEST(ParseMail, survives_nothing) {
    for (const std::string_view raw :
         {""sv, "\n"sv, "\r\n\r\n"sv, "\0"sv, ":"sv, "--"sv, "From "sv}) {
        (void)parsed(raw);
    }
}

TEST(ParseMail, keeps_only_images_that_the_mail_brings) {
    const ParsedMail mail = parsed(
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        "<img src=cid:here@x><img src=cid:gone@x>\n"
        "--b\nContent-Type: image/png\nContent-ID: <here@x>\n\nP\n--b--\n");
    EXPECT_EQ(mail.html, R"(<img src="cid:here@x">)");
    ASSERT_EQ(mail.attachments.size(), 1U);
    EXPECT_TRUE(mail.attachments[0].is_inline);
    EXPECT_EQ(mail.attachments[0].content_id, "here@x");
}

}  // namespace
}  // namespace postern::reader
