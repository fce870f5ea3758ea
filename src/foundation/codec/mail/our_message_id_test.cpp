#include "foundation/codec/mail/our_message_id.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/mail/address.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::codec {
namespace {

OurMessageId sample() {
    OurMessageId id;
    for (std::size_t i = 0; i < id.thread.size(); ++i)
        id.thread[i] = static_cast<std::uint8_t>(0xf0U + i);
    for (std::size_t i = 0; i < id.mac.size(); ++i)
        id.mac[i] = static_cast<std::uint8_t>(17 * i);
    id.number = 42;
    return id;
}

IdLabel label() {
    return *IdLabel::make("k3x9q2m7w1tz", "Brand.Example");
}

TEST(OurMessageId, round_trip_and_shape) {
    const auto text = sample().text(label());
    EXPECT_EQ(text,
              "ptn1.7gy7sf7x7nyvvzhyftzfyfvzqz.42.008j4ct4ank7f24s@k3x9q2m7w1tz.ptn."
              "brand.example")
        << text;
    const auto parsed = OurMessageId::parse(text, label());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, sample());
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.@-"), text.npos);
}

TEST(OurMessageId, longest_form_keeps_its_bound) {
    auto id = sample();
    id.number = OurMessageId::k_number_max;
    const auto text = id.text(label());
    EXPECT_LE(text.size() - std::string_view("brand.example").size(),
              OurMessageId::k_bytes_before_domain_max);
    EXPECT_TRUE(OurMessageId::parse(text, label()));
}

TEST(OurMessageId, case_changed_domain_is_accepted) {
    auto text = sample().text(label());
    for (auto at = text.find('@'); at < text.size(); ++at) {
        if (text[at] >= 'a' && text[at] <= 'z') text[at] = static_cast<char>(text[at] - 32);
    }
    EXPECT_TRUE(OurMessageId::parse(text, label())) << text;
}

TEST(OurMessageId, anything_but_the_one_form_is_refused) {
    const std::string good = sample().text(label());
    const std::string tail = label().text();
    const std::string thread = "7gy7sf7x7nyvvzhyftzfyfvzqz";
    const std::string mac = "008j4ct4ank7f24s";
    const std::string rows[] = {
        "",
        "x",
        tail,
        "ptn1." + tail,
        good + ".evil.test",
        good + "-",
        "x" + good,
        " " + good,
        good.substr(0, good.size() - 1),
        "PTN1" + good.substr(4),
        "ptn2" + good.substr(4),
        "ptn1." + thread + ".042." + mac + tail,
        "ptn1." + thread + ".0." + mac + tail,
        "ptn1." + thread + ".-1." + mac + tail,
        "ptn1." + thread + ".+1." + mac + tail,
        "ptn1." + thread + ".100000." + mac + tail,
        "ptn1." + thread + ".99999999999999999999." + mac + tail,
        "ptn1." + thread + "..42." + mac + tail,
        "ptn1." + thread + ".42." + mac + "." + tail,
        "ptn1." + thread + ".42." + mac.substr(1) + tail,
        "ptn1." + thread + ".42." + mac + "0" + tail,
        "ptn1.8" + thread.substr(1) + ".42." + mac + tail,  // more than 128 bits
        "ptn1.i" + thread.substr(1) + ".42." + mac + tail,  // no Crockford digit
        "ptn1." + thread.substr(1) + ".42." + mac + tail,
        "ptn1." + thread + ".42." + mac + "@evil" + tail,
        "ptn1." + thread + ".42." + mac + "@k3x9q2m7w1ta.ptn.brand.example",
    };
    for (const auto& row : rows) {
        const auto parsed = OurMessageId::parse(row, label());
        ASSERT_FALSE(parsed) << row;
        EXPECT_TRUE(parsed.error().is(MailTextError::not_our_message_id));
    }
}

TEST(OurMessageId, mac_input_differs_for_every_part) {
    const Bytes mailbox{1, 2, 3};
    auto other = sample();
    other.number = 43;
    EXPECT_NE(sample().mac_input(mailbox), other.mac_input(mailbox));
    other = sample();
    other.thread[15] ^= 1U;
    EXPECT_NE(sample().mac_input(mailbox), other.mac_input(mailbox));
    EXPECT_NE(sample().mac_input(mailbox), sample().mac_input(Bytes{1, 2}));
    other = sample();
    other.mac[0] ^= 1U;
    EXPECT_EQ(sample().mac_input(mailbox), other.mac_input(mailbox));
}

TEST(IdLabel, round_trip) {
    EXPECT_EQ(label().text(), "@k3x9q2m7w1tz.ptn.brand.example");
    EXPECT_EQ(*IdLabel::parse(label().text()), label());
}

TEST(IdLabel, malformed_ones_are_refused) {
    const std::string_view rows[] = {
        "",
        "@",
        "k3x9q2m7w1tz.ptn.brand.example",
        "@k3x.ptn.brand.example",
        "@k3x9q2m7w1tzz.ptn.brand.example",
        "@K3x9q2m7w1tz.ptn.brand.example",
        "@k3x9-2m7w1tz.ptn.brand.example",
        "@k3x9q2m7w1tz.ptn.",
        "@k3x9q2m7w1tz.ptn.Brand.example",
        "@k3x9q2m7w1tz.ptn.brand..example",
        "@k3x9q2m7w1tz.ptn.b\xc3\xa4r.example",
        "@k3x9q2m7w1tz.ptn.brand.example\r\n",
        "@k3x9q2m7w1tz.ptn.brand.example\" OR ALL \"",
    };
    for (const auto row : rows)
        EXPECT_FALSE(IdLabel::parse(row)) << row;
    EXPECT_FALSE(IdLabel::make("k3x9q2m7w1tz", std::string(254, 'a')));
}

}  // namespace
}  // namespace postern::codec
