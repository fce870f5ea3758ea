#include "platform/store/postgres/server_words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::store::postgres {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;  ///< 0: not well-formed
};

/// RFC 3629; the smallest code of each length refuses longer forms.
Character first_of(std::string_view text) {
    constexpr std::array<char32_t, 5> k_least = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<std::uint8_t>(text.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
    char32_t code = lead & (0xffU >> (size + 1));
    for (const char next : text.substr(1, size - 1)) {
        const auto byte = static_cast<std::uint8_t>(next);
        if ((byte & 0xc0U) != 0x80) return {};
        code = code << 6U | (byte & 0x3fU);
    }
    const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < k_least[size] || code > 0x10ffff || is_surrogate) return {};
    return {code, size};
}

/// Control characters, and those that turn the line around, part it, or are not seen.
bool is_shown(char32_t code) {
    struct Range {
        char32_t first;
        char32_t last;
    };
    constexpr Range k_hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0x10ffff},
    };
    return std::ranges::none_of(
        k_hidden, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

}  // namespace

std::string server_words(std::string_view text) {
    text = text.substr(0, text.find('\n'));
    std::string words;
    while (!text.empty()) {
        const auto next = first_of(text);
        const auto taken = std::max<std::size_t>(next.bytes, 1);
        const bool shown = next.bytes != 0 && is_shown(next.code);
        const auto piece = shown ? text.substr(0, taken) : std::string_view("?");
        if (words.size() + piece.size() > k_server_words_bytes_max) break;
        words += piece;
        text.remove_prefix(taken);
    }
    return words;
}

}  // namespace postern::store::postgres
