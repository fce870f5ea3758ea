#include "features/mail/courier/candidate.h"

#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::string_view k_label = "@box7.ptn.brand.example";
const std::string k_id = "ptn1.a.1.b" + std::string(k_label);

Candidate read(const std::string& header) {
    return read_candidate(7, as_bytes(header), KnownIds(std::string(k_label)));
}

TEST(ReadCandidate, takes_what_verification_needs) {
    const auto candidate = read(
        "Message-ID: <m1@x.example>\r\n"
        "References: <root@y.example>\r\n <" +
        k_id +
        ">\r\n"
        "In-Reply-To: <" +
        k_id + "2>\r\nIn-Reply-To: <ptn1.c.1.d" + std::string(k_label) +
        ">\r\n"
        "From: =?utf-8?Q?L=C3=A9a?= <Lea@Creators.Example>\r\n"
        "To: Maya <maya@brand.example>, team: a@b.example;\r\nCc: c@d.example\r\n"
        "Auto-Submitted: Auto-Replied\r\n"
        "Authentication-Results: MX.brand.example; dmarc=fail\r\n"
        "Authentication-Results: evil.example; dmarc=pass\r\n\r\n");
    EXPECT_EQ(candidate.uid, 7U);
    EXPECT_EQ(candidate.message_id, "m1@x.example");
    EXPECT_EQ(candidate.our_ids,
              (std::vector<std::string>{"ptn1.c.1.d" + std::string(k_label), k_id}));
    ASSERT_EQ(candidate.from.size(), 1U);
    EXPECT_EQ(candidate.from[0].name,
              "L\xc3\xa9"
              "a");
    EXPECT_EQ(candidate.from[0].address, "Lea@creators.example");
    ASSERT_EQ(candidate.recipients.size(), 3U);
    EXPECT_EQ(candidate.recipients[2].address, "c@d.example");
    EXPECT_EQ(candidate.author_kind, AuthorKind::auto_reply);
    EXPECT_FALSE(candidate.is_bounce);
    ASSERT_EQ(candidate.authentication.size(), 2U);
    EXPECT_EQ(candidate.authentication[0].server, "mx.brand.example");
    EXPECT_EQ(candidate.authentication[0].dmarc, AuthResult::fail);
    EXPECT_EQ(candidate.authentication[1].dmarc, AuthResult::pass);
}

TEST(ReadCandidate, ids_that_only_contain_the_label_are_none_of_ours) {
    const std::string values[] = {"<" + k_id + ".evil.test>", "(<" + k_id + ">)",
                                  "<" + std::string(k_label) + ">", "\"<" + k_id + ">\""};
    for (const auto& value : values)
        EXPECT_TRUE(read("References: " + value + "\r\n\r\n").our_ids.empty()) << value;
    // The token elsewhere than in the two fields.
    EXPECT_TRUE(
        read("Subject: <" + k_id + ">\r\nX-References: <" + k_id + ">\r\n").our_ids.empty());
}

TEST(ReadCandidate, results_without_a_name_are_seen_and_malformed_ones_are_not) {
    const auto found = read(
        "Authentication-Results: (nothing\r\n"
        "Authentication-Results: spf=fail smtp.mailfrom=x; dkim=none; dmarc=fail\r\n\r\n");
    ASSERT_EQ(found.authentication.size(), 1U);
    EXPECT_EQ(found.authentication[0].server, "");
    EXPECT_EQ(found.authentication[0].dmarc, AuthResult::fail);
    EXPECT_EQ(found.authentication[0].spf, AuthResult::fail);
    EXPECT_EQ(found.authentication[0].dkim, AuthResult::undecided);
}

TEST(ReadCandidate, tells_whether_somebody_sent_it) {
    EXPECT_TRUE(read("Return-Path: <eve@evil.example>\r\n").has_sender);
    for (const auto* header : {"Return-Path: <>\r\n", "Return-Path:\r\n", "Subject: x\r\n"})
        EXPECT_FALSE(read(header).has_sender) << header;
}

TEST(ReadCandidate, several_from_fields_are_all_seen) {
    EXPECT_EQ(read("From: a@b.example\r\nFrom: c@d.example\r\n").from.size(), 2U);
}

TEST(ReadCandidate, nobody_beyond_the_bounds_is_hidden) {
    std::string header = "To: ";
    for (std::size_t i = 0; i < k_recipients_max; ++i)
        header += "a" + std::to_string(i) + "@b.example,";
    header += "\r\n";
    EXPECT_EQ(read(header).recipients.size(), k_recipients_max);
    const auto more = read(header + "Cc: hidden@x.example\r\nCc: other@x.example\r\n");
    EXPECT_EQ(more.recipients.size(), k_recipients_max + 1);
    EXPECT_TRUE(more.recipients.back().address.empty());
}

TEST(ReadCandidate, bounds_ids_and_results) {
    std::string header;
    for (int i = 0; i < 100; ++i)
        header += "Authentication-Results: mx.example; dmarc=pass\r\n";
    header += "References:";
    for (int i = 0; i < 500; ++i)
        header += "\r\n <" + std::to_string(i) + std::string(k_label) + ">";
    const auto candidate = read(header + "\r\n\r\n");
    EXPECT_EQ(candidate.our_ids.size(), k_our_ids_max);
    EXPECT_EQ(candidate.authentication.size(), k_authentications_max);
}

TEST(ReadCandidate, unreadable_header_gives_a_candidate_without_ids) {
    for (const auto& header : {std::string(), std::string("\r\n"), std::string(1000, '\0'),
                               std::string(2U << 20U, 'x'), std::string(": :\r\n :\r\n")}) {
        const auto candidate = read(header);
        EXPECT_EQ(candidate.uid, 7U);
        EXPECT_TRUE(candidate.our_ids.empty());
        EXPECT_TRUE(candidate.from.empty());
    }
}

}  // namespace
}  // namespace postern::mail::courier
