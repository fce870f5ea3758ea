#include "features/identity/names.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

TEST(Names, are_text_in_one_line) {
    for (const std::string_view name :
         {"Olga's phone", "x", "Caf\u00e9 \u4eac\u90fd \U0001f98a", "\u0645\u0643\u062a\u0628",
          "\u05d1\u05d9\u05ea", "\u00a0", "a\u200db", "\u2019", "\u2030", "\u2065"})
        EXPECT_TRUE(is_name(name)) << name;
    EXPECT_TRUE(is_name(std::string(k_name_bytes_max, 'x')));
}

TEST(Names, hold_nothing_that_makes_them_look_like_others) {
    using namespace std::string_view_literals;
    for (const std::string_view name :
         {""sv, "a\r\nb"sv, "a\nb"sv, "\tb"sv, "a\0b"sv, "\0"sv, "a\x1b[2J"sv, "\x7f"sv,
          "a\u0080"sv, "\u0085"sv, "\u009f"sv, "\u061c"sv, "a\u200eb"sv, "a\u200fb"sv, "\u2028"sv,
          "\u2029"sv, "\u202a"sv, "gpj.\u202eexe"sv, "\u2066x\u2069"sv})
        EXPECT_FALSE(is_name(name)) << name;
    EXPECT_FALSE(is_name(std::string(k_name_bytes_max + 1, 'x')));
}

}  // namespace
}  // namespace postern::identity
