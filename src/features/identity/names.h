#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::identity {

inline constexpr std::size_t k_name_bytes_max = 200;

namespace detail {
/// Of UTF-8: what turns the writing round, breaks the line or controls a terminal, U+0080 to
/// U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069.
[[nodiscard]] constexpr bool begins_unshown(std::string_view text) {
    const auto at = [text](std::size_t index) -> unsigned {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
    };
    if (at(0) < 0x20 || at(0) == 0x7F) return true;
    if (at(0) == 0xC2) return at(1) >= 0x80 && at(1) <= 0x9F;
    if (at(0) == 0xD8) return at(1) == 0x9C;
    if (at(0) != 0xE2) return false;
    if (at(1) == 0x80) return at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xA8 && at(2) <= 0xAE);
    return at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
}
}  // namespace detail

/// Of a workspace, a second factor or a token: 1 to 200 bytes of text in one line, without
/// characters that nobody sees and that make the rest look like something else.
[[nodiscard]] constexpr bool is_name(std::string_view name) {
    if (name.empty() || name.size() > k_name_bytes_max) return false;
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (detail::begins_unshown(name.substr(at))) return false;
    }
    return true;
}

/// As an address is looked for: ASCII letters in lower case.
[[nodiscard]] inline std::string folded_address(std::string address) {
    for (char& c : address) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return address;
}

}  // namespace postern::identity
