#include "foundation/codec/qr.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>

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

TEST(QrCode, text_that_it_is_not_for_is_our_own_bug) {
    EXPECT_DEATH((void)QrCode::of(secret("umlaut \xc3\xa4")), "");
    EXPECT_DEATH((void)QrCode::of(secret("")), "");
}

}  // namespace
}  // namespace postern::codec
