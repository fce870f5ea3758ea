#include "features/mail/compose.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <string>
#include <vector>

namespace postern::mail {
namespace {

Draft plain_draft() {
    Draft draft;
    draft.from = {"Maya", "maya@brand.example"};
    draft.to = {{"Léa", "lea@creators.example"}};
    draft.subject = "Hello";
    draft.text = "Hi,\nhow are you?\n";
    draft.message_id = "ptn1.a.1.b@box.ptn.brand.example";
    draft.references = {draft.message_id};
    draft.date_ms = 1'795'467'600'000;
    return draft;
}

std::vector<std::string> lines_of(const std::string& mail) {
    std::vector<std::string> lines;
    std::string::size_type at = 0;
    while (at < mail.size()) {
        const auto end = mail.find("\r\n", at);
        if (end == std::string::npos) {
            ADD_FAILURE() << "line without CRLF";
            break;
        }
        lines.push_back(mail.substr(at, end - at));
        at = end + 2;
    }
    return lines;
}

TEST(Compose, writes_a_plain_mail) {
    const auto mail = compose(plain_draft());
    ASSERT_TRUE(mail.has_value());
    EXPECT_EQ(*mail,
              "From: \"Maya\" <maya@brand.example>\r\n"
              "To: =?utf-8?B?TMOpYQ==?= <lea@creators.example>\r\n"
              "Subject: Hello\r\n"
              "Date: Mon, 23 Nov 2026 21:00:00 +0000\r\n"
              "Message-ID: <ptn1.a.1.b@box.ptn.brand.example>\r\n"
              "References: <ptn1.a.1.b@box.ptn.brand.example>\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "\r\n"
              "Hi,\r\nhow are you?\r\n");
}

TEST(Compose, names_the_conversation_for_outlook) {
    auto draft = plain_draft();
    EXPECT_EQ(compose(draft)->find("Thread-Index"), std::string::npos);
    draft.thread_index = "Adw0AAAA";
    EXPECT_NE(compose(draft)->find("\r\nThread-Index: Adw0AAAA\r\n"), std::string::npos);
}

TEST(Compose, refuses_what_would_become_another_field) {
    const std::string smuggled[] = {"a\r\nBcc: x@evil.example", "a\nBcc: x", "a\rb",
                                    std::string("a\0b", 3),     "\x7f",      "tab\there"};
    for (const auto& text : smuggled) {
        auto draft = plain_draft();
        draft.subject = text;
        EXPECT_TRUE(compose(draft).error().is(ComposeError::control_character)) << text;
        draft = plain_draft();
        draft.from.name = text;
        EXPECT_TRUE(compose(draft).error().is(ComposeError::control_character)) << text;
        draft = plain_draft();
        draft.to[0].name = text;
        EXPECT_TRUE(compose(draft).error().is(ComposeError::control_character)) << text;
        draft = plain_draft();
        draft.to[0].address = "lea@creators.example" + text;
        EXPECT_TRUE(compose(draft).error().is(ComposeError::malformed_address)) << text;
    }
}

TEST(Compose, refuses_malformed_addresses) {
    for (const char* address : {"", "lea", "lea@", "@x.example", "a b@x.example", "<a@x.example>",
                                "a@x.example, b@x.example", "a@x.example>", "\"a b\"@x.example"}) {
        auto draft = plain_draft();
        draft.to[0].address = address;
        EXPECT_TRUE(compose(draft).error().is(ComposeError::malformed_address)) << address;
    }
}

TEST(Compose, keeps_lines_short_and_ascii_whatever_the_text) {
    auto draft = plain_draft();
    draft.subject =
        std::string(500, 'x') + "日本語のとても長い件名がここにありますので折り返しが必要です";
    draft.to[0].name = "\"Quote\\\" =?utf-8?B?x?=";
    draft.text = std::string(1000, 'a') + "\n" + "é=\t \n.\n..dots\nFrom here " +
                 std::string(200, ' ') + "\nlone\rcr";
    draft.html = "<p>" + std::string(500, 'b') + "</p>";
    for (int i = 0; i < 40; ++i) {
        draft.references.push_back("r" + std::to_string(i) + "@x.example");
    }
    const auto mail = compose(draft);
    ASSERT_TRUE(mail.has_value());
    for (const auto& line : lines_of(*mail)) {
        EXPECT_LE(line.size(), 78U) << line;
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) {
            return c == '\t' || (c >= 0x20 && c < 0x7f);
        })) << line;
    }
    EXPECT_EQ(mail->find("Bcc"), std::string::npos);
}

TEST(Compose, leaves_out_ids_that_would_make_the_header_one_that_few_servers_take) {
    const std::string longest(250, 'x');
    const std::string bad[] = {"",      "café@x.example", "a b@x.example", "a\r\nBcc: b@x",
                               "a>b@x", "a<b@x",          longest + "x",   "a\x7f@x"};
    for (const auto& id : bad) {
        EXPECT_FALSE(is_plain_message_id(id)) << id;
        auto draft = plain_draft();
        draft.references = {"root@x.example", id, "last@x.example"};
        draft.in_reply_to = id;
        const auto mail = compose(draft).value();
        EXPECT_NE(mail.find("\r\nReferences: <root@x.example>\r\n <last@x.example>\r\n"),
                  mail.npos);
        EXPECT_EQ(mail.find("In-Reply-To"), mail.npos);
    }
    auto draft = plain_draft();
    draft.references = {longest, "\"quo.ted\"+1=/{}%@[192.0.2.1]"};
    draft.in_reply_to = longest;
    const auto mail = compose(draft).value();
    EXPECT_NE(mail.find("In-Reply-To: <" + longest + ">\r\nReferences: <" + longest + ">\r\n <\""),
              mail.npos);
    draft.references = {"é@x", "second@x"};
    EXPECT_NE(compose(draft)->find("\r\nReferences: <second@x>\r\n"), mail.npos);
}

TEST(Compose, adds_html_as_alternative_behind_the_text) {
    auto draft = plain_draft();
    draft.html = "<b>Hi</b>";
    const auto mail = compose(draft);
    ASSERT_TRUE(mail.has_value());
    const auto text = mail->find("text/plain");
    const auto html = mail->find("text/html");
    EXPECT_NE(mail->find("multipart/alternative"), std::string::npos);
    ASSERT_NE(html, std::string::npos);
    EXPECT_LT(text, html);
    EXPECT_NE(mail->find("<b>Hi</b>"), std::string::npos);
}

TEST(Compose, names_where_answers_go_and_that_a_mail_is_of_nobody) {
    Draft draft;
    draft.from = {"Maya", "maya@brand.example"};
    draft.to = {{"Lea", "lea@creators.example"}};
    draft.message_id = "a@b";
    const auto plain = compose(draft);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->find("Reply-To"), std::string::npos);
    EXPECT_EQ(plain->find("Auto-Submitted"), std::string::npos);
    draft.reply_to = {"Maya", "maya+box7.0000000000000000@brand.example"};
    draft.is_automatic = true;
    const auto mail = compose(draft);
    ASSERT_TRUE(mail);
    EXPECT_NE(mail->find("\r\nReply-To: \"Maya\" <maya+box7.0000000000000000@brand.example>\r\n"),
              std::string::npos);
    EXPECT_NE(mail->find("\r\nAuto-Submitted: auto-generated\r\n"), std::string::npos);
    draft.reply_to.address = "maya@brand.example\r\nBcc: x@evil.example";
    EXPECT_FALSE(compose(draft));
}

}  // namespace
}  // namespace postern::mail
