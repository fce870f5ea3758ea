#include "features/identity/common_passwords.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

bool is_common(std::string_view text) {
    return is_common_password(Secret::copy_of(as_bytes(text)));
}

TEST(CommonPasswords, table_is_sorted_and_as_large_as_asked_for) {
    constexpr std::size_t k_asked_for = 3000;  // OWASP ASVS 5.0, 6.2.4
    const auto all = common_password_prefixes();
    EXPECT_GE(all.size(), k_asked_for);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST(CommonPasswords, those_of_the_list_are_found_in_every_case) {
    for (const std::string_view common :
         {"123qweasdzxc", "1qaz2wsx3edc", "qwerty123456", "leavemealone", "123456789987654321",
          "QWERTY123456", "LeaveMeAlone", "Mailcreated5240"}) {
        EXPECT_TRUE(is_common(common)) << common;
    }
}

TEST(CommonPasswords, others_are_not) {
    const std::string with_nul("qwerty123456\0", 13);
    for (const std::string_view other :
         {std::string_view("correct horse battery staple"), std::string_view("qwerty123456 "),
          std::string_view("qwerty12345"), std::string_view(""), std::string_view(with_nul),
          std::string_view("\xC3\x89t\xC3\xA9 à la mer 1987")}) {
        EXPECT_FALSE(is_common(other)) << other;
    }
}

}  // namespace
}  // namespace postern::identity
