#include "features/mail/courier/author_kind.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/imap/header_block.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace postern::mail::courier {
namespace {

imap::HeaderBlock block_of(const std::string& header) {
    auto block = imap::HeaderBlock::parse(as_bytes(header));
    EXPECT_TRUE(block);
    return std::move(*block);
}

AuthorKind kind(const std::string& header) {
    return author_kind_of(block_of(header + "\r\n\r\n"));
}

TEST(AuthorKindOf, person_where_nothing_says_otherwise) {
    const std::string people[] = {
        "From: Lea <lea@creators.example>",
        "Auto-Submitted: no",
        "Auto-Submitted: NO (typed by hand)",
        "Auto-Submitted: no\r\nPrecedence: bulk\r\nX-Autoreply: yes",
        "Subject: Out of office\r\nSubject: Automatic reply: away",
        "X-Autoreply: no",
        "X-Autoreply:",
        "Precedence: first-class",
        "Return-Path: <lea@creators.example>",
        "Content-Type: multipart/mixed; boundary=delivery-status",
        "Message-ID: <ptn1.a@creators.example>",
        "X-Auto-Response-Suppress: All",
    };
    for (const auto& header : people)
        EXPECT_EQ(kind(header), AuthorKind::person) << header;
}

TEST(AuthorKindOf, auto_reply_where_a_program_answers_in_somebodys_name) {
    const std::string replies[] = {
        "Auto-Submitted: auto-replied",
        "AUTO-SUBMITTED: Auto-Replied; owner-email=\"lea@creators.example\"",
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-generated\r\nIn-Reply-To: <x@y>",
        "X-Autoreply: yes",
        "X-Autorespond: Re: Offer",
        "Precedence: bulk",
        "Precedence: AUTO_REPLY",
        "Precedence: junk",
        "Return-Path: <>",
    };
    for (const auto& header : replies)
        EXPECT_EQ(kind(header), AuthorKind::auto_reply) << header;
}

TEST(AuthorKindOf, machine_where_nobody_answers) {
    const std::string machines[] = {
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: auto-notified",
        "Content-Type: multipart/report; report-type=delivery-status",
        "Content-Type: Multipart/Report; report-type=disposition-notification",
        "Content-Type: multipart/report;\r\n report-type=\"feedback-report\"",
        "Content-Type: text/calendar; method=REPLY",
        "List-Id: <l.example>",
        "Precedence: list",
        "Message-ID: <ptn1.abc.1.def@box9.ptn.other.example>",
        "Auto-Submitted: no\r\nList-Id: <l.example>",
    };
    for (const auto& header : machines)
        EXPECT_EQ(kind(header), AuthorKind::machine) << header;
}

TEST(MayBeBounce, by_report_type_or_author_alone) {
    const std::string bounces[] = {
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "content-type: MULTIPART/REPORT;\r\n\tboundary=b; report-type=\"Delivery-Status\"",
        "From: MAILER-DAEMON@mx.example (Mail Delivery System)",
        "From: <mailer-daemon@mx.example>",
    };
    for (const auto& header : bounces)
        EXPECT_TRUE(may_be_bounce(block_of(header + "\r\n\r\n"))) << header;
    const std::string others[] = {
        "From: lea@creators.example\r\nSubject: MAILER-DAEMON@x delivery-status",
        "Content-Type: multipart/report; report-type=disposition-notification",
        "Content-Type: text/plain; name=delivery-status",
        "From: MAILER-DAEMON@mx.example\r\n"
        "Content-Type: multipart/report; report-type=feedback-report",
        "X: y",
    };
    for (const auto& header : others)
        EXPECT_FALSE(may_be_bounce(block_of(header + "\r\n\r\n"))) << header;
}

}  // namespace
}  // namespace postern::mail::courier
