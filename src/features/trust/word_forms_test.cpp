#include "features/trust/word_forms.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::trust {
namespace {

bool shows(std::string_view text, std::string_view word) {
    return std::ranges::any_of(forms_of(word), [text](const std::string& form) {
        return text.find(form) != std::string_view::npos;
    });
}

TEST(WordForms, a_word_shows_in_base64_wherever_it_begins_and_whatever_is_around_it) {
    for (const std::string_view word : {"Pelican", "Orchid", "?>?>?>~~~~~~", "Léa Martin"}) {
        for (std::size_t before = 0; before < 7; ++before) {
            for (std::size_t behind = 0; behind < 4; ++behind) {
                std::string all(before, '\xff');
                all.append(word).append(behind, '\xaa');
                EXPECT_TRUE(shows(codec::base64(as_bytes(all)), word)) << word << before << behind;
                EXPECT_TRUE(shows(codec::base64url(as_bytes(all)), word)) << word;
            }
        }
    }
    EXPECT_FALSE(shows(codec::base64(as_bytes("a pelican")), "Pelican"));
}

TEST(WordForms, a_word_shows_in_utf_16_of_either_order) {
    using namespace std::string_literals;
    EXPECT_TRUE(shows("x\0P\0\xe9\0l\0\0"s, "P\xc3\xa9l"));
    EXPECT_TRUE(shows("\0x\0P\0\xe9\0l"s, "P\xc3\xa9l"));
    // U+1F33A, beyond the plane that two bytes hold, and U+20AC.
    EXPECT_TRUE(shows("\x3c\xd8\x3a\xdf\xac\x20"s, "\xf0\x9f\x8c\xba\xe2\x82\xac"));
    EXPECT_TRUE(shows("\xd8\x3c\xdf\x3a\x20\xac"s, "\xf0\x9f\x8c\xba\xe2\x82\xac"));
}

TEST(WordForms, bytes_that_are_no_utf_8_stand_for_themselves) {
    using namespace std::string_literals;
    for (const auto& word : {"\xff"s, "\xc3"s, "\xc3x"s, "\xe2\x82"s, "\x80"s}) {
        std::string wide;
        for (const char byte : word)
            wide.append({byte, '\0'});
        EXPECT_TRUE(shows(wide, word));
    }
}

}  // namespace
}  // namespace postern::trust
