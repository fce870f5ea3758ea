#include "foundation/codec/mail/ascii.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

constexpr std::string_view k_replacement = "\xef\xbf\xbd";

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// Bytes of the well-formed UTF-8 character at the start (Unicode table 3-7), 0 if there is none.
std::size_t character_size(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = at(0);
    if (first < 0x80) return 1;
    std::size_t size = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) size = 2;
    if (first >= 0xe0 && first <= 0xef) size = 3;
    if (first >= 0xf0 && first <= 0xf4) size = 4;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    if (size == 0 || text.size() < size || at(1) < low || at(1) > high) return 0;
    const auto tail = text.substr(2, size - 2);
    return std::ranges::all_of(tail, is_continuation) ? size : 0;
}

/// U+0080 to U+009F and the characters that turn or hide text beside them (bidi controls).
bool is_unshowable(std::string_view character) {
    if (character.size() == 2) return character[0] == '\xc2' && character[1] < '\xa0';
    return character.size() == 3 && character.starts_with("\xe2\x80") &&
           ((character[2] >= '\xaa' && character[2] <= '\xae') || character[2] == '\x8e' ||
            character[2] == '\x8f');
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), to_lower);
    return out;
}

bool equal_but_for_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

std::string clean_text(std::string_view hostile, std::size_t bytes_max) {
    std::string out;
    bool blank_due = false;
    while (!hostile.empty()) {
        const auto size = character_size(hostile);
        const auto character = hostile.substr(0, std::max<std::size_t>(size, 1));
        hostile.remove_prefix(character.size());
        if (character == " " || is_control(character.front()) || is_unshowable(character)) {
            blank_due = !out.empty();
            continue;
        }
        const auto shown = size == 0 ? k_replacement : character;
        if (out.size() + (blank_due ? 1 : 0) + shown.size() > bytes_max) break;
        if (blank_due) out += ' ';
        blank_due = false;
        out += shown;
    }
    return out;
}

}  // namespace postern::codec
