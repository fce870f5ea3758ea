#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
[[nodiscard]] constexpr bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

/// ASCII letters only; other bytes stay.
[[nodiscard]] std::string lower(std::string_view text);
/// Equal but for the case of ASCII letters.
[[nodiscard]] bool equal_but_for_case(std::string_view a, std::string_view b) noexcept;
/// Without blanks at both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// Text from outside made fit to be shown: valid UTF-8, control characters and runs of blanks as
/// one space, cut between characters at `bytes_max`. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string clean_text(std::string_view hostile, std::size_t bytes_max);

}  // namespace postern::codec
