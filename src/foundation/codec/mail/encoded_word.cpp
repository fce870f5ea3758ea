#include "foundation/codec/mail/encoded_word.h"

#include "foundation/codec/mail/ascii.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

enum class Charset { utf_8, iso_8859_1 };

std::optional<Charset> charset_of(std::string_view name) {
    name = name.substr(0, name.find('*'));  // a language may follow (RFC 2231 section 5)
    if (equal_but_for_case(name, "utf-8") || equal_but_for_case(name, "us-ascii")) {
        return Charset::utf_8;
    }
    if (equal_but_for_case(name, "iso-8859-1")) return Charset::iso_8859_1;
    return std::nullopt;
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char small = to_lower(c);
    if (small >= 'a' && small <= 'f') return static_cast<unsigned>(small - 'a' + 10);
    return std::nullopt;
}

std::optional<std::string> decode_q(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i] == '_' ? ' ' : text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const auto high = hex_digit(text[i + 1]);
        const auto low = hex_digit(text[i + 2]);
        if (!high || !low) return std::nullopt;
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    return out;
}

std::optional<unsigned> base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0' + 52);
    if (c == '+') return 62;
    if (c == '/') return 63;
    return std::nullopt;
}

std::optional<std::string> decode_b(std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto digit = base64_digit(c);
        if (!digit) return std::nullopt;
        bits = (bits << 6U | *digit) & 0xffffU;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>((bits >> count) & 0xffU);
    }
    return out;
}

std::string to_utf8(const std::string& bytes, Charset charset) {
    if (charset == Charset::utf_8) return bytes;
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xc0U | byte >> 6U);
            out += static_cast<char>(0x80U | (byte & 0x3fU));
        }
    }
    return out;
}

/// Takes what stands before the next '?'. Blanks end a word, so that a '?' far away is never
/// searched for twice.
std::optional<std::string_view> take_part(std::string_view& text) {
    const auto end = text.find_first_of("? \t\r\n");
    if (end == std::string_view::npos || text[end] != '?') return std::nullopt;
    const auto part = text.substr(0, end);
    text.remove_prefix(end + 1);
    return part;
}

/// The word that `text` starts with; `text` is moved behind it.
std::optional<std::string> take_word(std::string_view& text) {
    auto rest = text;
    if (!rest.starts_with("=?")) return std::nullopt;
    rest.remove_prefix(2);
    const auto name = take_part(rest);
    const auto encoding = name ? take_part(rest) : std::nullopt;
    const auto payload = encoding ? take_part(rest) : std::nullopt;
    if (!payload || !rest.starts_with('=') || encoding->size() != 1) return std::nullopt;
    const auto charset = charset_of(*name);
    if (!charset) return std::nullopt;
    const char kind = to_lower(encoding->front());
    auto bytes = kind == 'q'   ? decode_q(*payload)
                 : kind == 'b' ? decode_b(*payload)
                               : std::optional<std::string>();
    if (!bytes) return std::nullopt;
    text = rest.substr(1);
    return to_utf8(*bytes, *charset);
}

}  // namespace

std::string decode_words(std::string_view text) {
    std::string out;
    std::size_t blanks_after_word = 0;  // what may turn out to stand between two words
    bool after_word = false;
    while (!text.empty()) {
        if (auto word = take_word(text)) {
            if (after_word) out.resize(out.size() - blanks_after_word);
            out += *word;
            after_word = true;
            blanks_after_word = 0;
            continue;
        }
        const char c = text.front();
        text.remove_prefix(1);
        out += c;
        after_word = after_word && is_blank(c);
        blanks_after_word = after_word ? blanks_after_word + 1 : 0;
    }
    return out;
}

}  // namespace postern::codec
