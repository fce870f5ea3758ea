#include "features/identity/password_rules.h"

#include "features/identity/common_passwords.h"
#include "features/identity/identity_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::identity {
namespace {

/// UTF-8: every byte but those that go on with a character.
bool begins_character(std::uint8_t byte) {
    constexpr std::uint8_t k_mask = 0xC0;
    constexpr std::uint8_t k_goes_on = 0x80;
    return (byte & k_mask) != k_goes_on;
}

std::size_t characters(ByteView text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

bool is_one_character(ByteView text) {
    if (text.empty()) return false;
    const auto second = std::find_if(text.begin() + 1, text.end(), begins_character);
    const auto length = second - text.begin();
    // Equal to itself moved on by a character.
    return std::equal(text.begin() + length, text.end(), text.begin(), text.end() - length);
}

bool equal_but_for_case(ByteView text, std::string_view other) {
    const auto lower = [](std::uint8_t byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + ('a' - 'A')) : byte;
    };
    return std::ranges::equal(text, as_bytes(other), {}, lower, lower);
}

}  // namespace

Result<> check_new_password(const Secret& password, const KnownOfPerson& known) {
    if (password.size() > k_password_bytes_max) return fail(IdentityError::password_too_long);
    const auto checked = password.with_bytes([&known](ByteView text) -> Result<> {
        if (characters(text) < k_password_characters_min) {
            return fail(IdentityError::password_too_short);
        }
        if (is_one_character(text)) return fail(IdentityError::password_is_one_character);
        if (equal_but_for_case(text, known.address)) {
            return fail(IdentityError::password_is_address);
        }
        if (equal_but_for_case(text, known.workspace)) {
            return fail(IdentityError::password_is_workspace_name);
        }
        return {};
    });
    if (checked && is_common_password(password)) return fail(IdentityError::password_too_common);
    return checked;
}

}  // namespace postern::identity
