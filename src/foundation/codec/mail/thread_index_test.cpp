#include "foundation/codec/mail/thread_index.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/our_message_id.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

ThreadIndexForm form_of(std::string_view box) {
    return ThreadIndexForm(*IdLabel::make(box, "brand.example"));
}

ThreadIndexForm::Thread a_thread() {
    return {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 250};
}

/// As Outlook answers: the same bytes, and five more.
std::string answered(const std::string& text, std::size_t times) {
    auto bytes = *parse_base64(text);
    bytes.insert(bytes.end(), ThreadIndexForm::k_child_bytes * times, 0x42);
    return base64(bytes);
}

TEST(ThreadIndex, is_a_header_block_whose_time_is_of_the_mailbox) {
    const auto form = form_of("b7x2");
    const auto bytes = *parse_base64(form.text(a_thread()));
    EXPECT_EQ(bytes.size(), ThreadIndexForm::k_header_bytes);
    EXPECT_EQ(bytes[0], 0x01);
    EXPECT_EQ(bytes[1], 0xdc);
    EXPECT_EQ(form.needle(), form.text(a_thread()).substr(0, 8));
    EXPECT_EQ(form.needle(), form.text({}).substr(0, 8));
    EXPECT_NE(form.needle(), form_of("b7x3").needle());
    EXPECT_TRUE(form.needle().starts_with("Adw")) << form.needle();
}

TEST(ThreadIndex, gives_the_thread_of_answers_however_deep) {
    const auto form = form_of("b7x2");
    const auto text = form.text(a_thread());
    for (const std::size_t times : {0, 1, 2, 3, 100})
        EXPECT_EQ(form.thread_of(answered(text, times)), a_thread()) << times;
    EXPECT_TRUE(answered(text, 1).starts_with(form.needle()));
}

TEST(ThreadIndex, is_read_across_folded_lines) {
    const auto form = form_of("b7x2");
    auto text = answered(form.text(a_thread()), 20);
    text.insert(40, "\r\n\t");
    EXPECT_EQ(form.thread_of(" " + text), a_thread());
}

TEST(ThreadIndex, of_others_is_none) {
    const auto form = form_of("b7x2");
    const auto text = form.text(a_thread());
    EXPECT_FALSE(form.thread_of(""));
    EXPECT_FALSE(form.thread_of(form.needle()));
    EXPECT_FALSE(form_of("b7x3").thread_of(text));
    EXPECT_FALSE(form.thread_of(text.substr(0, 28)));
    EXPECT_FALSE(form.thread_of("x" + text));
    EXPECT_FALSE(form.thread_of(text + "="));
    auto bytes = *parse_base64(text);
    bytes.push_back(1);
    EXPECT_FALSE(form.thread_of(base64(bytes)));
    const auto longest = ThreadIndexForm::k_text_bytes_max / 4 * 3 / ThreadIndexForm::k_child_bytes;
    EXPECT_FALSE(form.thread_of(answered(text, longest)));
}

}  // namespace
}  // namespace postern::codec
