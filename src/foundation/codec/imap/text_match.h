#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::imap {

[[nodiscard]] constexpr char ascii_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// ASCII case does not matter; the locale neither.
[[nodiscard]] constexpr bool equals_no_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (ascii_upper(a[i]) != ascii_upper(b[i])) return false;
    }
    return true;
}

[[nodiscard]] constexpr bool starts_with_no_case(std::string_view text,
                                                 std::string_view prefix) noexcept {
    return text.size() >= prefix.size() && equals_no_case(text.substr(0, prefix.size()), prefix);
}

/// Decimal digits only, at least one, at most 19, not above `max`.
[[nodiscard]] constexpr std::optional<std::uint64_t> parse_number(std::string_view digits,
                                                                  std::uint64_t max) noexcept {
    if (digits.empty() || digits.size() > 19) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > max) return std::nullopt;
    return value;
}

}  // namespace postern::imap
