#include "foundation/codec/imap/modified_utf7.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

TEST(ModifiedUtf7, both_directions_agree) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"INBOX", "INBOX"},
        {"&", "&-"},
        {"a&b&&", "a&-b&-&-"},
        // RFC 3501 section 5.1.3.
        {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
         "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
        {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
        {"\xd0\x9e\xd1\x82\xd0\xbf\xd1\x80\xd0\xb0\xd0\xb2\xd0\xbb\xd0\xb5\xd0\xbd\xd0\xbd\xd1\x8b"
         "\xd0\xb5",
         "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"},
        {"\xf0\x9f\x93\xa7", "&2D3c5w-"},
        {"\x01", "&AAE-"},
    };
    for (const auto& [utf8, wire] : cases) {
        EXPECT_EQ(to_modified_utf7(utf8), wire);
        EXPECT_EQ(from_modified_utf7(wire), utf8);
    }
}

TEST(ModifiedUtf7, malformed_utf8_is_refused) {
    const std::vector<std::string> bad{
        "\x80",              // a continuation alone
        "\xc3",              // cut off
        "\xc3(",             // no continuation
        "\xc0\xaf",          // overlong
        "\xe0\x80\xaf",      // overlong
        "\xf0\x80\x80\xaf",  // overlong
        "\xed\xa0\x80",      // surrogate
        "\xf4\x90\x80\x80",  // above U+10FFFF
        "\xf8\x88\x80\x80\x80",
    };
    for (const std::string& text : bad) {
        EXPECT_EQ(to_modified_utf7(text), std::nullopt);
    }
}

TEST(ModifiedUtf7, wire_forms_that_are_not_canonical_are_refused) {
    const std::vector<std::string> bad{
        "&",           // never ends
        "&APw",        // never ends
        "&AGE-",       // shifted ASCII
        "&AP-",        // half a unit
        "&APx-",       // padding bits set
        "&APwA-",      // one digit too many
        "&AP*w-",      // no base64
        "&APw=-",      // padding
        "&2D0-",       // high surrogate alone
        "&3Oc-",       // low surrogate alone
        "&2D3YPQ-",    // two high surrogates
        "&APw-&APw-",  // one run would do
        "\xc3\xbc",    // 8-bit
        "a\r\nb",
    };
    for (const std::string& text : bad) {
        EXPECT_EQ(from_modified_utf7(text), std::nullopt) << text;
    }
}

TEST(ModifiedUtf7, every_character_survives) {
    for (char32_t point = 1; point < 0x10ffff; point += 251) {
        if (point >= 0xd800 && point <= 0xdfff) continue;
        std::string utf8;
        if (point < 0x80) {
            utf8 = {static_cast<char>(point)};
        } else if (point < 0x800) {
            utf8 = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
        } else if (point < 0x10000) {
            utf8 = {static_cast<char>(0xe0 | point >> 12),
                    static_cast<char>(0x80 | (point >> 6 & 0x3f)),
                    static_cast<char>(0x80 | (point & 0x3f))};
        } else {
            utf8 = {static_cast<char>(0xf0 | point >> 18),
                    static_cast<char>(0x80 | (point >> 12 & 0x3f)),
                    static_cast<char>(0x80 | (point >> 6 & 0x3f)),
                    static_cast<char>(0x80 | (point & 0x3f))};
        }
        const auto encoded = to_modified_utf7(utf8 + "x" + utf8 + utf8);
        ASSERT_TRUE(encoded);
        EXPECT_EQ(from_modified_utf7(*encoded), utf8 + "x" + utf8 + utf8);
    }
}

}  // namespace
}  // namespace postern::imap
