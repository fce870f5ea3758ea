#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::reader {

constexpr char32_t k_replacement = 0xFFFD;

/// ASCII only, independent of the locale.
[[nodiscard]] constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alpha(char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}
[[nodiscard]] constexpr bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}
/// 0-15, or -1.
[[nodiscard]] constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// `other` must be lower case.
[[nodiscard]] bool equals_ignoring_case(std::string_view text, std::string_view other);
[[nodiscard]] bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

/// Appends the UTF-8 of a code point; surrogates and what lies beyond Unicode become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);
/// Decodes the code point at `at` (< text.size()) and moves `at` behind it. Invalid sequences give
/// U+FFFD and move by one byte.
[[nodiscard]] char32_t next_code_point(std::string_view text, std::size_t& at);

[[nodiscard]] bool is_valid_utf8(std::string_view text);
/// Invalid bytes become U+FFFD; NUL is left out.
[[nodiscard]] std::string repaired_utf8(std::string_view text);
/// At most `bytes_max` bytes, never within a character.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

/// Characters that show nothing and serve to hide text or to change how a name reads: direction
/// marks and overrides, zero-width characters, tag characters.
[[nodiscard]] bool is_invisible(char32_t code_point);
/// One line for display: valid UTF-8, without control and invisible characters, white space
/// collapsed, at most `bytes_max` bytes.
[[nodiscard]] std::string display_line(std::string_view text, std::size_t bytes_max);
/// Text of a body: valid UTF-8, LF line ends, without control characters other than tab.
[[nodiscard]] std::string body_text(std::string_view text);
/// A name that can be offered for saving a file: no path, no control characters, no leading dot,
/// none of <>:"|?*, at most 180 bytes with the extension kept. Empty where nothing is left.
[[nodiscard]] std::string safe_file_name(std::string_view name);

}  // namespace postern::reader
