#include "features/identity/password_rules.h"

#include "features/identity/identity_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {
namespace {

constexpr KnownOfPerson k_olga{.address = "Olga@Brand.Example", .workspace = "Brand und Töchter"};

Result<> check(std::string_view password) {
    return check_new_password(Secret::copy_of(as_bytes(password)), k_olga);
}

std::string times(std::size_t count, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
        out += text;
    return out;
}

TEST(PasswordRules, anything_long_enough_is_taken) {
    const std::string with_nul("eleven \0chars", 13);
    for (const std::string& good :
         {std::string("correct horse battery staple"), std::string("twelve chars"), with_nul,
          std::string(" spaces  at both ends "), std::string("no digits no capitals"),
          times(4, "\xF0\x9F\x90\xB4\xC3\xA9x"), std::string("aaaaaaaaaaab"),
          "b" + std::string(999, 'a'), std::string("olga@brand.example2"),
          std::string("brand und t\xC3\xB6"
                      "chter!")}) {
        const auto checked = check(good);
        EXPECT_TRUE(checked) << good << ": " << checked.error().text();
    }
}

TEST(PasswordRules, each_refusal_has_its_reason) {
    const std::pair<std::string, IdentityError> cases[] = {
        {"", IdentityError::password_too_short},
        {"elevenchars", IdentityError::password_too_short},
        // 44 bytes, eleven characters.
        {times(11, "\xF0\x9F\x90\xB4"), IdentityError::password_too_short},
        // No UTF-8 at all: nothing begins a character.
        {std::string(40, '\x80'), IdentityError::password_too_short},
        {"b" + std::string(1000, 'a'), IdentityError::password_too_long},
        {std::string(12, 'a'), IdentityError::password_is_one_character},
        {std::string(1000, ' '), IdentityError::password_is_one_character},
        {std::string(20, '\0'), IdentityError::password_is_one_character},
        {times(12, "\xC3\xA9"), IdentityError::password_is_one_character},
        {"olga@brand.example", IdentityError::password_is_address},
        {"OLGA@BRAND.EXAMPLE", IdentityError::password_is_address},
        {"BRAND und T\xC3\xB6"
         "chter",
         IdentityError::password_is_workspace_name},
        {"qwerty123456", IdentityError::password_too_common},
        {"Qwerty123456", IdentityError::password_too_common},
    };
    for (const auto& [password, wanted] : cases) {
        const auto checked = check(password);
        ASSERT_FALSE(checked) << password;
        EXPECT_TRUE(checked.error().is(wanted)) << password << ": " << checked.error().text();
        EXPECT_EQ(checked.error().code(), "weak_password");
    }
}

TEST(PasswordRules, every_reason_has_a_code_and_nothing_else_has_one) {
    EXPECT_EQ(weakness_of(IdentityError::password_too_short), "too_short");
    EXPECT_EQ(weakness_of(IdentityError::password_too_long), "too_long");
    EXPECT_EQ(weakness_of(IdentityError::password_too_common), "too_common");
    EXPECT_EQ(weakness_of(IdentityError::password_is_one_character), "one_character");
    EXPECT_EQ(weakness_of(IdentityError::password_is_address), "is_your_address");
    EXPECT_EQ(weakness_of(IdentityError::password_is_workspace_name), "is_workspace_name");
    EXPECT_EQ(weakness_of(IdentityError::invalid_credentials), "");
    EXPECT_EQ(weakness_of(IdentityError::forbidden), "");
}

}  // namespace
}  // namespace postern::identity
