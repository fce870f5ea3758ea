#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::identity {

inline constexpr std::size_t k_name_bytes_max = 200;

/// Of a workspace, a second factor or a token: 1 to 200 bytes, no control characters.
[[nodiscard]] constexpr bool is_name(std::string_view name) {
    if (name.empty() || name.size() > k_name_bytes_max) return false;
    return std::ranges::none_of(name, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

/// As an address is looked for: ASCII letters in lower case.
[[nodiscard]] inline std::string folded_address(std::string address) {
    for (char& c : address) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return address;
}

}  // namespace postern::identity
