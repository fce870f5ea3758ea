#include "foundation/codec/qr.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace postern::codec {
namespace {

Secret secret(const std::string& text) {
    return Secret::copy_of(as_bytes(text));
}

/// The three squares by which a reader finds the code: dark frame, light ring, dark 3 x 3 heart.
bool has_finder(const QrCode& code, std::size_t left, std::size_t top) {
    for (std::size_t y = 0; y < 7; ++y) {
        for (std::size_t x = 0; x < 7; ++x) {
            const bool frame = x == 0 || x == 6 || y == 0 || y == 6;
            const bool heart = x >= 2 && x <= 4 && y >= 2 && y <= 4;
            if (code.is_dark(left + x, top + y) != (frame || heart)) return false;
        }
    }
    return true;
}

TEST(QrCode, has_its_finders_and_the_size_of_its_version) {
    const auto code = QrCode::of(secret("POSTERN-RECOVERY-2:ABCDE-12345"));
    ASSERT_EQ((code.width() - 17) % 4, 0U);
    EXPECT_TRUE(has_finder(code, 0, 0));
    EXPECT_TRUE(has_finder(code, code.width() - 7, 0));
    EXPECT_TRUE(has_finder(code, 0, code.width() - 7));
    EXPECT_FALSE(has_finder(code, code.width() - 7, code.width() - 7));
}

TEST(QrCode, small_letters_count_as_capital_ones_and_other_texts_differ) {
    const auto same = [](const QrCode& a, const QrCode& b) {
        if (a.width() != b.width()) return false;
        for (std::size_t y = 0; y < a.width(); ++y) {
            for (std::size_t x = 0; x < a.width(); ++x) {
                if (a.is_dark(x, y) != b.is_dark(x, y)) return false;
            }
        }
        return true;
    };
    const auto code = QrCode::of(secret("share-1:abc"));
    EXPECT_TRUE(same(code, QrCode::of(secret("SHARE-1:ABC"))));
    EXPECT_FALSE(same(code, QrCode::of(secret("SHARE-1:ABD"))));
}

std::string svg_of(const std::string& bytes) {
    return QrCode::of_bytes(secret(bytes)).svg().with_bytes([](ByteView text) {
        return std::string(as_text(text));
    });
}

std::size_t number_after(std::string_view& text, char mark) {
    text.remove_prefix(std::min(text.find(mark), text.size()));
    if (!text.empty()) text.remove_prefix(1);
    std::size_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    EXPECT_EQ(read.ec, std::errc());
    return number;
}

/// Reads the picture back by its runs: "M7 4h3v1h-3z".
std::vector<std::vector<bool>> drawn(std::string_view svg, std::size_t width) {
    std::vector<std::vector<bool>> out(width, std::vector<bool>(width));
    svg.remove_prefix(svg.find(" d='"));
    while (svg.find('M') != std::string_view::npos) {
        const auto x = number_after(svg, 'M') - 4;
        const auto y = number_after(svg, ' ') - 4;
        const auto run = number_after(svg, 'h');
        EXPECT_EQ(number_after(svg, '-'), run);
        for (std::size_t i = 0; i < run; ++i)
            out.at(y).at(x + i) = true;
    }
    return out;
}

TEST(QrCode, picture_shows_every_module_and_needs_no_escapes) {
    const std::string uri = "otpauth://totp/Postern:a%40b.example?secret=MZXW6YTB";
    const auto code = QrCode::of_bytes(secret(uri));
    const auto svg = svg_of(uri);
    EXPECT_EQ(svg.find_first_of("\"\\\n"), std::string::npos);
    EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
    const auto seen = drawn(svg, code.width());
    for (std::size_t y = 0; y < code.width(); ++y) {
        for (std::size_t x = 0; x < code.width(); ++x)
            ASSERT_EQ(seen[y][x], code.is_dark(x, y)) << x << ' ' << y;
    }
}

TEST(QrCode, bytes_keep_their_case) {
    EXPECT_NE(svg_of("abc"), svg_of("ABC"));
    EXPECT_EQ(svg_of("abc"), svg_of("abc"));
}

TEST(QrCode, text_that_it_is_not_for_is_our_own_bug) {
    EXPECT_DEATH((void)QrCode::of(secret("umlaut \xc3\xa4")), "");
    EXPECT_DEATH((void)QrCode::of(secret("")), "");
}

}  // namespace
}  // namespace postern::codec
