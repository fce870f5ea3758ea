#include "foundation/codec/mail/reply_address.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/mail/our_message_id.h"

#include <gtest/gtest.h>
#include <array>
#include <cstdint>
#include <string>

namespace postern::codec {
namespace {

using Tag = ReplyAddressForm::Tag;

const IdLabel k_label = IdLabel::make("b7x2", "brand.example").value();
constexpr Tag k_tag{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
const std::string k_text = "maya+b7x2.000g40r40m30e209@brand.example";

ReplyAddressForm form_of(const std::string& own) {
    return ReplyAddressForm::make(own, k_label).value();
}

TEST(ReplyAddress, is_the_mailboxs_own_with_box_and_tag) {
    const auto form = form_of("maya@brand.example");
    EXPECT_EQ(form.text(k_tag), k_text);
    EXPECT_EQ(form.needle(), "+b7x2.");
    EXPECT_EQ(form.tag_of(k_text), k_tag);
    EXPECT_EQ(form.text(Tag{}), "maya+b7x2.0000000000000000@brand.example");
}

TEST(ReplyAddress, case_of_letters_does_not_count) {
    const auto form = form_of("maya@brand.example");
    EXPECT_EQ(form.tag_of("MAYA+B7X2.000G40R40M30E209@Brand.Example"), k_tag);
    EXPECT_EQ(form.tag_of("Maya+b7x2.000g40r40m30e209@BRAND.example"), k_tag);
    EXPECT_EQ(form_of("Maya@Brand.Example").tag_of(k_text), k_tag);
}

TEST(ReplyAddress, what_only_looks_like_one_is_none) {
    const auto form = form_of("maya@brand.example");
    for (const auto* address :
         {"", "maya@brand.example", "maya+b7x2@brand.example", "maya+b7x2.@brand.example",
          // longer, shorter, or with something around it
          "maya+b7x2.000g40r40m30e2090@brand.example", "maya+b7x2.000g40r40m30e20@brand.example",
          "xmaya+b7x2.000g40r40m30e209@brand.example",
          "maya+b7x2.000g40r40m30e209@brand.example.evil.test",
          "maya+b7x2.000g40r40m30e209@evil.test", "maya+b7x2.000g40r40m30e209@xbrand.example",
          "x+maya+b7x2.000g40r40m30e209@brand.example",
          "maya+b7x2.000g40r40m30e209+x@brand.example",
          "\"maya+b7x2.000g40r40m30e209\"@brand.example",
          "maya+b7x2.000g40r40m30e209@brand.example ",
          // another person, another label, other digits
          "max1+b7x2.000g40r40m30e209@brand.example", "maya+b7x3.000g40r40m30e209@brand.example",
          "maya-b7x2.000g40r40m30e209@brand.example", "maya+b7x2-000g40r40m30e209@brand.example",
          "maya+b7x2.o00g40r40m30e209@brand.example", "maya+b7x2.000g40r4.m30e209@brand.example",
          "maya+b7x2.000g40r40m30e20u@brand.example"}) {
        EXPECT_FALSE(form.tag_of(address)) << address;
    }
}

TEST(ReplyAddress, is_not_made_where_it_could_not_be_told_or_has_no_room) {
    const std::string room(64 - 22, 'a');
    EXPECT_EQ(form_of(room + "@brand.example").text(k_tag).find('@'), 64U);
    for (const auto& own :
         {"a" + room + "@brand.example", std::string("maya+news@brand.example"),
          std::string("+maya@brand.example"), std::string("m\xc3\xa9@brand.example"),
          std::string("maya@br\xc3\xa4nd.example"), std::string("maya"),
          std::string("\"maya\"@brand.example"), std::string()}) {
        EXPECT_FALSE(ReplyAddressForm::make(own, k_label)) << own;
    }
    const std::string domain = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                               std::string(63, 'c') + "." + std::string(35, 'd');
    EXPECT_TRUE(ReplyAddressForm::make("may@" + domain, k_label));
    EXPECT_FALSE(ReplyAddressForm::make("mayam@" + domain, k_label));
}

TEST(ReplyAddress, input_of_the_mac_names_mailbox_and_thread_and_is_no_message_ids) {
    std::array<std::uint8_t, 16> thread{1};
    const Bytes mailbox(16, 7);
    const auto input = ReplyAddressForm::mac_input(mailbox, thread);
    EXPECT_EQ(as_text(input).substr(0, 6), "reply1");
    EXPECT_NE(ReplyAddressForm::mac_input(Bytes(16, 8), thread), input);
    EXPECT_NE(ReplyAddressForm::mac_input(mailbox, {2}), input);
    OurMessageId id;
    id.thread = thread;
    EXPECT_NE(id.mac_input(mailbox), input);
}

}  // namespace
}  // namespace postern::codec
