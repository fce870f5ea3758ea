#include "features/mail/courier/known_ids.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/imap/limits.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <vector>

namespace postern::mail::courier {
namespace {

const std::string k_label = "@box7.ptn.brand.example";
const std::string k_ours = "ptn1.a.1.b" + k_label;
const std::string k_given = "AM0PR07MB1234@eurprd07.prod.outlook.com";

KnownIds known() {
    KnownIds out(k_label);
    out.learn({k_given});
    return out;
}

TEST(IdGivenBy, is_what_the_server_names) {
    EXPECT_EQ(id_given_by("2.6.0 <" + k_given + "> [InternalId=7] Queued mail for delivery", "h"),
              k_given);
    const std::string token = "0102018f3c7a1b2c-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000";
    EXPECT_EQ(id_given_by("Ok " + token, "email-smtp.eu-west-1.amazonaws.com"),
              token + "@eu-west-1.amazonses.com");
    EXPECT_EQ(id_given_by("Ok " + token, "EMAIL-SMTP.us-east-1.amazonaws.com"),
              token + "@email.amazonses.com");
}

TEST(IdGivenBy, is_nothing_where_it_could_be_anything) {
    const std::string ses = "email-smtp.eu-west-1.amazonaws.com";
    const struct {
        std::string text;
        std::string host;
    } cases[] = {
        {"2.0.0 Ok: queued as 4F2A91C0D3", "mx.example"},
        {"Ok 0102018f3c7a1b2c-1a2b3c4d", "email-smtp.amazonaws.com.evil.example"},
        {"Ok 0102018f3c7a1b2c-1a2b3c4d", "email-smtp..amazonaws.com.evil"},
        {"Ok a b c d e f g h i j", ses},
        {"Ok x\" OR ALL \"@", ses},
        {"2.6.0 <a@b> short", "h"},
        {"2.6.0 <noatsign-noatsign-noatsign>", "h"},
        {"2.6.0 <two@at@signs.example.example>", "h"},
        {"2.6.0 <with blank@brand.example>", "h"},
        {"2.6.0 <unclosed@brand.example.example", "h"},
        {"2.6.0 <quote\"quote@brand.example>", "h"},
        {"2.6.0 <encoded=?utf-8?q?word?=@brand.example>", "h"},
        {"> <", "h"},
        {"", ses},
    };
    for (const auto& one : cases)
        EXPECT_EQ(id_given_by(one.text, one.host), "") << one.text;
}

TEST(KnownIds, are_exact_tokens_that_end_in_the_label_or_were_learnt) {
    const auto ids = known();
    EXPECT_TRUE(ids.contains(k_ours));
    EXPECT_TRUE(ids.contains(k_given));
    EXPECT_FALSE(ids.contains("x" + k_given));
    EXPECT_FALSE(ids.contains(k_given + ".evil.test"));
    std::vector<std::string> found;
    ids.append_from("<x" + k_given + "> <" + k_given + "> <" + k_ours + "> <" + k_given + ">", 9,
                    found);
    EXPECT_EQ(found, (std::vector<std::string>{k_ours, k_given}));
    EXPECT_TRUE(ids.are_in(as_bytes("In-Reply-To: <" + k_given + ">\r\n\r\n")));
    EXPECT_FALSE(ids.are_in(as_bytes("Subject: <" + k_given + ">\r\n\r\n")));
    EXPECT_FALSE(ids.are_in(as_bytes("References: <a@b> (<" + k_given + ">)\r\n\r\n")));
    EXPECT_FALSE(ids.are_in({}));
}

TEST(KnownIds, learns_nothing_that_could_match_other_mail) {
    KnownIds ids(k_label);
    ids.learn({"a@b", "", "short@mx", "no-at-sign-in-this-one", "blank in@brand.example"});
    EXPECT_FALSE(ids.contains("a@b"));
    const auto queries = ids.queries(1, 0);
    ASSERT_TRUE(queries);
    ASSERT_EQ(queries->size(), 1U);
    EXPECT_EQ(queries->at(0).text().find("a@b"), std::string::npos);
}

TEST(KnownIds, are_searched_for_in_commands_below_the_limit_and_bounces_once) {
    KnownIds ids(k_label);
    std::vector<std::string> many;
    for (std::size_t i = 0; i < KnownIds::k_learned_max + 20; ++i)
        many.push_back(std::to_string(i) + std::string(200, 'x') + "@brand.example");
    ids.learn(many);
    ids.learn(many);
    EXPECT_FALSE(ids.contains(many.front()));
    EXPECT_TRUE(ids.contains(many.back()));
    const auto queries = ids.queries(7, 9);
    ASSERT_TRUE(queries);
    std::size_t found = 0;
    std::size_t bounces = 0;
    for (const auto& query : *queries) {
        EXPECT_LT(query.text().size(), imap::k_command_bytes_max);
        EXPECT_TRUE(query.text().starts_with("UID SEARCH UID 7:9 "));
        for (const auto& id : many)
            found += query.text().find("In-Reply-To \"" + id) != std::string::npos ? 1 : 0;
        bounces += query.text().find("MAILER-DAEMON") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(found, KnownIds::k_learned_max);
    EXPECT_EQ(bounces, 1U);
    EXPECT_NE(queries->front().text().find(k_label), std::string::npos);
}

}  // namespace
}  // namespace postern::mail::courier
