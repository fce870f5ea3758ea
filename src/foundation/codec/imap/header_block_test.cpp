#include "foundation/codec/imap/header_block.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/imap/imap_error.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {
namespace {

using Values = std::vector<std::string_view>;

TEST(HeaderBlock, unfolds_and_keeps_order) {
    const auto block = HeaderBlock::parse(
        as_bytes("References: <a@x>\r\n\t<b@x>\r\n  <c@x>\r\nIN-REPLY-TO:<c@x>\r\n"
                 "Received: two\r\nReceived: one\r\nSubject : s \r\n\r\nFrom: body\r\n"));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->first("references"), "<a@x>\t<b@x>  <c@x>");
    EXPECT_EQ(block->first("In-Reply-To"), "<c@x>");
    EXPECT_EQ(block->all("received"), (Values{"two", "one"}));
    EXPECT_EQ(block->first("Subject"), "s");
    EXPECT_EQ(block->first("From"), std::nullopt);
    EXPECT_EQ(block->field_count(), 5u);
}

TEST(HeaderBlock, reads_what_is_not_quite_a_header) {
    const auto block = HeaderBlock::parse(
        as_bytes(" folded nothing\r\nno colon\r\n\tits fold\r\n: no name\r\nb\xc3\xa4: x\r\n"
                 "Empty:\r\nLf: a\n b\nLast: c"));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->field_count(), 3u);
    EXPECT_EQ(block->first("empty"), "");
    EXPECT_EQ(block->first("lf"), "a b");
    EXPECT_EQ(block->first("last"), "c");
}

TEST(HeaderBlock, takes_a_megabyte_and_1100_references) {
    std::string text = "References:";
    for (int i = 0; i < 1100; ++i) {
        text += "\r\n <" + std::to_string(i) + std::string(900, 'r') + "@x>";
    }
    const auto block = HeaderBlock::parse(as_bytes(text));
    ASSERT_TRUE(block);
    EXPECT_TRUE(block->first("References")->ends_with("@x>"));
    EXPECT_EQ(block->first("References")->find("\r\n"), std::string_view::npos);
}

TEST(HeaderBlock, refused_over_its_limits) {
    const std::string large(k_header_block_bytes_max + 1, 'a');
    EXPECT_TRUE(HeaderBlock::parse(as_bytes(large)).error().is(ImapError::literal_too_large));
    std::string many;
    for (std::size_t i = 0; i < k_header_fields_max; ++i) {
        many += "a:b\r\n";
    }
    EXPECT_TRUE(HeaderBlock::parse(as_bytes(many)));
    many += "a:b\r\n";
    EXPECT_TRUE(HeaderBlock::parse(as_bytes(many)).error().is(ImapError::too_many_results));
}

TEST(HeaderBlock, nothing_is_no_error) {
    EXPECT_EQ(HeaderBlock::parse({})->field_count(), 0u);
    EXPECT_EQ(HeaderBlock::parse(as_bytes("\r\n"))->field_count(), 0u);
}

}  // namespace
}  // namespace postern::imap
