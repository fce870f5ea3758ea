#include "foundation/codec/base64.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace postern::codec {
namespace {

TEST(Base64, matches_rfc_4648_section_10) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, coded] : vectors) {
        EXPECT_EQ(base64(as_bytes(plain)), coded);
        EXPECT_EQ(parse_base64(coded), to_bytes(plain));
    }
}

TEST(Base64, refuses_second_spellings) {
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zg===", "Z g=", "Zg==\n", "Zm9v=", "====", "Z",
                             "Zm-_", "=Zg=", "\xff"}) {
        EXPECT_FALSE(parse_base64(text).has_value()) << text;
    }
    for (const char* text : {"Zg==", "Zh", "Z", "Zm+/", "Zg "}) {
        EXPECT_FALSE(parse_base64url(text).has_value()) << text;
    }
    for (const char* text : {"a", "0g", "AB", " 00", "0x00"}) {
        EXPECT_FALSE(parse_hex(text).has_value()) << text;
    }
}

TEST(Base64, round_trips_every_byte) {
    Bytes all(256);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<std::uint8_t>(i);
    for (std::size_t size = 0; size < 256; ++size) {
        const ByteView part = ByteView(all).last(size);
        EXPECT_EQ(parse_base64(base64(part)), to_bytes(part));
        EXPECT_EQ(parse_base64url(base64url(part)), to_bytes(part));
        EXPECT_EQ(parse_hex(hex(part)), to_bytes(part));
    }
}

}  // namespace
}  // namespace postern::codec
