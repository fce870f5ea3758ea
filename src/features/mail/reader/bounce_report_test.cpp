#include "features/mail/reader/bounce_report.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <vector>

namespace postern::reader {
namespace {

BounceReport parse(const std::string& raw) {
    auto report = parse_bounce(as_bytes(raw));
    EXPECT_TRUE(report);
    return report ? *report : BounceReport{};
}

std::string report_of(const std::string& status,
                      const std::string& original = "Message-ID: <ours@b.example>\r\n") {
    return "From: MAILER-DAEMON@mx.example\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
           "--b\r\nContent-Type: message/delivery-status\r\n\r\n" +
           status + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + original +
           "Subject: Offer\r\n\r\nMessage-ID: <body@b.example>\r\n--b--\r\n";
}

TEST(ParseBounce, reads_each_recipient_of_a_report) {
    const auto report = parse(report_of(
        "Reporting-MTA: dns; mx.example\r\nArrival-Date: Mon, 1 Jan 2026 00:00:00 +0000\r\n\r\n"
        "Final-Recipient: rfc822; lea@creators.example\r\n"
        "Original-Recipient: rfc822;Lea@creators.example\r\n"
        "Action: failed\r\nStatus: 5.1.1 (bad mailbox)\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <lea@creators.example>:\r\n    User unknown\r\n\r\n"
        "final-recipient: RFC822;<bo@creators.example>\r\naction: Delayed (still trying)\r\n"
        "status: 4.4.1\r\n\r\n"));
    ASSERT_EQ(report.recipients.size(), 2U);
    const auto& lea = report.recipients[0];
    EXPECT_EQ(lea.address, "lea@creators.example");
    EXPECT_EQ(lea.original_address, "Lea@creators.example");
    EXPECT_EQ(lea.action, "failed");
    EXPECT_EQ(lea.status, "5.1.1");
    EXPECT_EQ(lea.diagnostic, "550 5.1.1 <lea@creators.example>: User unknown");
    const auto& bo = report.recipients[1];
    EXPECT_EQ(bo.address, "bo@creators.example");
    EXPECT_EQ(bo.action, "delayed");
    EXPECT_EQ(bo.status, "4.4.1");
    EXPECT_EQ(bo.diagnostic, "");
    EXPECT_EQ(report.original_ids, std::vector<std::string>{"ours@b.example"});
}

TEST(ParseBounce, takes_a_status_from_where_there_is_one) {
    const std::string head = "Final-Recipient: rfc822;lea@c.example\r\nAction: ";
    const struct {
        std::string fields;
        std::string status;
    } cases[] = {
        {"failed\r\nStatus: 5.7.134\r\n", "5.7.134"},
        {"failed\r\nDiagnostic-Code: smtp;550-5.4.310 DNS\r\n", "5.4.310"},
        {"failed\r\nStatus: 5\r\nDiagnostic-Code: smtp;550 no\r\n", "5.0.0"},
        {"delayed\r\n", "4.0.0"},
        {"failed\r\nStatus: 192.5.1.1.2\r\n", "5.0.0"},
        {"failed\r\nStatus: 5.1234.1\r\n", "5.0.0"},
        {"failed\r\nStatus: 15.1.1\r\n", "5.0.0"},
    };
    for (const auto& one : cases) {
        const auto report = parse(report_of("X: y\r\n\r\n" + head + one.fields));
        ASSERT_EQ(report.recipients.size(), 1U) << one.fields;
        EXPECT_EQ(report.recipients[0].status, one.status) << one.fields;
    }
}

TEST(ParseBounce, leaves_out_whom_it_does_not_name_well) {
    const std::string groups[] = {
        "Final-Recipient: rfc822; lea@creators.example\r\n",
        "Final-Recipient: rfc822; lea@creators.example\r\nAction: exploded\r\n",
        "Action: failed\r\nStatus: 5.1.1\r\n",
        "Final-Recipient: x400; /c=us/s=lea/\r\nAction: failed\r\n",
        "Final-Recipient: rfc822; nobody\r\nAction: failed\r\n",
        "Final-Recipient: rfc822; a@b.example, c@d.example\r\nAction: failed\r\n",
        "Final-Recipient: rfc822; " + std::string(400, 'x') + "@b.example\r\nAction: failed\r\n",
    };
    for (const auto& group : groups)
        EXPECT_TRUE(parse(report_of("X: y\r\n\r\n" + group)).recipients.empty()) << group;
}

TEST(ParseBounce, reads_headers_alone_and_encoded_ones) {
    const auto report = parse(
        "Content-Type: multipart/report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "WDogeQ0KDQpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjtsZWFAYy5leGFtcGxlDQpBY3Rpb246IGZhaWxlZA0K\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"
        "Message-ID:\r\n <ours@b.example>\r\n\r\n--b--\r\n");
    ASSERT_EQ(report.recipients.size(), 1U);
    EXPECT_EQ(report.recipients[0].address, "lea@c.example");
    EXPECT_EQ(report.original_ids, std::vector<std::string>{"ours@b.example"});
}

const std::string k_qmail =
    "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n"
    "Hi. This is the qmail-send program at mx.example.\r\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n"
    "<lea@creators.example>:\r\n192.0.2.5 does not like recipient.\r\n"
    "Remote host said: 550 5.1.1 User unknown\r\nGiving up on 192.0.2.5.\r\n\r\n"
    "<bo@creators.example>:\r\nSorry, no mailbox here by that name. (#5.2.1)\r\n\r\n";

TEST(ParseBounce, reads_what_qmail_writes) {
    const auto report = parse(k_qmail +
                              "--- Below this line is a copy of the message.\r\n\r\n"
                              "Return-Path: <maya@brand.example>\r\n"
                              "Message-ID: <ours@b.example>\r\n\r\n"
                              "<other@creators.example>:\r\nin the mail itself\r\n");
    ASSERT_EQ(report.recipients.size(), 2U);
    EXPECT_EQ(report.recipients[0].address, "lea@creators.example");
    EXPECT_EQ(report.recipients[0].status, "5.1.1");
    EXPECT_NE(report.recipients[0].diagnostic.find("User unknown"), std::string::npos);
    EXPECT_EQ(report.recipients[1].status, "5.2.1");
    EXPECT_EQ(report.original_ids, std::vector<std::string>{"ours@b.example"});
}

TEST(ParseBounce, an_ordinary_mail_names_nobody) {
    const std::string mails[] = {
        "",
        "Subject: x\r\n\r\nHello <lea@creators.example>: how are you?\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
        "application/pdf\r\n\r\n<a@b.example>:\r\nx\r\n--b--\r\n",
    };
    for (const auto& mail : mails)
        EXPECT_TRUE(parse(mail).recipients.empty()) << mail;
}

TEST(ParseBounce, is_bounded_whatever_it_says) {
    std::string many;
    for (std::size_t i = 0; i < 2 * k_bounced_recipients_max; ++i) {
        many += "\r\nFinal-Recipient: rfc822;a" + std::to_string(i) +
                "@b.example\r\nAction: failed\r\nDiagnostic-Code: smtp;" + std::string(2000, 'x') +
                "\x1b[31m\r\n";
    }
    const auto report = parse(report_of(many));
    EXPECT_LE(report.recipients.size(), k_bounced_recipients_max);
    ASSERT_FALSE(report.recipients.empty());
    for (const auto& one : report.recipients)
        EXPECT_LE(one.diagnostic.size(), k_diagnostic_bytes_max);
    EXPECT_EQ(report.recipients[0].diagnostic.find('\x1b'), std::string::npos);
    EXPECT_TRUE(parse(std::string(4U << 20U, '\n')).recipients.empty());
    EXPECT_TRUE(parse("\r\n" + std::string(1U << 20U, '<') + ">:\r\n").recipients.empty());
}

}  // namespace
}  // namespace postern::reader
