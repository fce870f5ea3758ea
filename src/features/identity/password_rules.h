#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <cstddef>
#include <string_view>

namespace postern::identity {

/// Characters are Unicode code points (NIST SP 800-63B, section 3.1.1.2).
inline constexpr std::size_t k_password_characters_min = 12;
inline constexpr std::size_t k_password_bytes_max = 1000;

/// What everybody who guesses tries first.
struct KnownOfPerson {
    std::string_view address;
    std::string_view workspace;  ///< its name
};

/// Whether a new password is taken, as it is: nothing is cut off, composed or normalised, and no
/// kinds of characters are asked for. Case counts in none of the comparisons (ASCII).
/// Errors: password_too_short, password_too_long, password_too_common, password_is_one_character,
/// password_is_address, password_is_workspace_name.
[[nodiscard]] Result<> check_new_password(const Secret& password, const KnownOfPerson& known);

}  // namespace postern::identity
