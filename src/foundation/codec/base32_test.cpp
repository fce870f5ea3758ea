#include "foundation/codec/base32.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace postern::codec {
namespace {

// RFC 4648, section 10, without its padding.
const std::pair<std::string, std::string> k_vectors[] = {
    {"", ""},
    {"f", "MY"},
    {"fo", "MZXQ"},
    {"foo", "MZXW6"},
    {"foob", "MZXW6YQ"},
    {"fooba", "MZXW6YTB"},
    {"foobar", "MZXW6YTBOI"},
};

TEST(Base32, prints_and_reads_the_vectors_of_the_rfc) {
    for (const auto& [plain, text] : k_vectors) {
        EXPECT_EQ(base32(as_bytes(plain)), text);
        const auto back = parse_base32(text);
        ASSERT_TRUE(back.has_value()) << text;
        EXPECT_EQ(as_text(*back), plain);
    }
}

TEST(Base32, small_letters_are_read) {
    EXPECT_EQ(parse_base32("mzxw6ytboi"), parse_base32("MZXW6YTBOI"));
}

TEST(Base32, nothing_else_is_read) {
    for (const auto* wrong : {"M", "MZX", "MZXW6Y", "MY======", "M Y", "MZ", "M1", "M8", "M0", "=",
                              "MY\n", "M\xc3\xa4", "MZXW7"}) {
        EXPECT_FALSE(parse_base32(wrong).has_value()) << wrong;
    }
}

}  // namespace
}  // namespace postern::codec
