#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::reader {
namespace {

constexpr std::size_t k_file_name_bytes_max = 180;
constexpr std::size_t k_extension_bytes_max = 16;
constexpr std::size_t k_raw_name_bytes_max = 8192;

struct Lead {
    int more = -1;  // bytes that follow; -1 = no lead byte
    char32_t bits = 0;
    char32_t least = 0;  // smaller values are overlong
};

Lead lead_of(unsigned char c) {
    if (c < 0x80) return {0, c, 0};
    if (c >= 0xC2 && c <= 0xDF) return {1, c & 0x1FU, 0x80};
    if (c >= 0xE0 && c <= 0xEF) return {2, c & 0x0FU, 0x800};
    if (c >= 0xF0 && c <= 0xF4) return {3, c & 0x07U, 0x10000};
    return {};
}

bool is_scalar(char32_t c) {
    return c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
}

bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

// -1 where no valid sequence starts at `at`.
struct Decoded {
    char32_t code_point = k_replacement;
    std::size_t bytes = 1;
    bool valid = false;
};

Decoded decode(std::string_view text, std::size_t at) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.more < 0 || text.size() - at <= static_cast<std::size_t>(lead.more)) return {};
    char32_t value = lead.bits;
    for (int i = 1; i <= lead.more; ++i) {
        const auto c = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
        if ((c & 0xC0U) != 0x80) return {};
        value = (value << 6U) | (c & 0x3FU);
    }
    if (value < lead.least || !is_scalar(value)) return {};
    return {value, static_cast<std::size_t>(lead.more) + 1, true};
}

// Device names of Windows, which open a device whatever the extension.
bool is_device_name(std::string_view name) {
    static constexpr std::array<std::string_view, 8> k_devices{"con",  "prn",  "aux",  "nul",
                                                               "com1", "com2", "lpt1", "lpt2"};
    const std::string stem = lower_case(name.substr(0, name.find('.')));
    return std::ranges::find(k_devices, stem) != k_devices.end();
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), to_lower);
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view other) {
    return text.size() == other.size() && starts_with_ignoring_case(text, other);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(),
                      [](char want, char have) { return want == to_lower(have); });
}

void append_utf8(std::string& out, char32_t c) {
    if (!is_scalar(c)) c = k_replacement;
    const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        push(c);
    } else if (c < 0x800) {
        push(0xC0U | (c >> 6U));
        push(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
        push(0xE0U | (c >> 12U));
        push(0x80U | ((c >> 6U) & 0x3FU));
        push(0x80U | (c & 0x3FU));
    } else {
        push(0xF0U | (c >> 18U));
        push(0x80U | ((c >> 12U) & 0x3FU));
        push(0x80U | ((c >> 6U) & 0x3FU));
        push(0x80U | (c & 0x3FU));
    }
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
    const Decoded decoded = decode(text, at);
    at += decoded.bytes;
    return decoded.code_point;
}

bool is_valid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Decoded decoded = decode(text, at);
        if (!decoded.valid) return false;
        at += decoded.bytes;
    }
    return true;
}

std::string repaired_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_code_point(text, at);
        if (c != 0) append_utf8(out, c);
    }
    return out;
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80) {
        --bytes_max;
    }
    return text.substr(0, bytes_max);
}

bool is_invisible(char32_t c) {
    return (c >= 0x200B && c <= 0x200B) || c == 0x200E || c == 0x200F || c == 0x061C ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           c == 0x00AD || c == 0x180E || c == 0x034F || (c >= 0xFFF9 && c <= 0xFFFB) ||
           (c >= 0xE0000 && c <= 0xE0FFF);
}

std::string display_line(std::string_view text, std::size_t bytes_max) {
    std::string out;
    bool space = false;
    for (std::size_t at = 0; at < text.size() && out.size() <= bytes_max;) {
        const char32_t c = next_code_point(text, at);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0) {
            space = !out.empty();
            continue;
        }
        if (is_control(c) || is_invisible(c)) continue;
        if (space) out.push_back(' ');
        space = false;
        append_utf8(out, c);
    }
    out.resize(cut_utf8(out, bytes_max).size());
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

std::string body_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        char32_t c = next_code_point(text, at);
        if (c == '\r') {
            if (at < text.size() && text[at] == '\n') continue;
            c = '\n';
        }
        if (c == '\n' || c == '\t' || !is_control(c)) append_utf8(out, c);
    }
    return out;
}

std::string safe_file_name(std::string_view name) {
    const std::size_t slash = name.find_last_of("/\\");
    if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
    std::string clean = display_line(name, k_raw_name_bytes_max);
    std::ranges::replace_if(
        clean, [](char c) { return std::string_view("<>:\"|?*/\\").contains(c); }, '_');
    const std::size_t first = clean.find_first_not_of(". ");
    if (first == std::string::npos) return {};
    clean = clean.substr(first, clean.find_last_not_of(". ") - first + 1);
    if (is_device_name(clean)) clean.insert(0, "_");
    if (clean.size() <= k_file_name_bytes_max) return clean;
    const std::size_t dot = clean.rfind('.');
    const std::string extension =
        dot != std::string::npos && clean.size() - dot <= k_extension_bytes_max ? clean.substr(dot)
                                                                                : "";
    std::string cut(cut_utf8(clean, k_file_name_bytes_max - extension.size()));
    if (extension.empty()) cut.resize(cut.find_last_not_of(". ") + 1);
    return cut + extension;
}

}  // namespace postern::reader
