#include "features/trust/word_forms.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

/// The code point at the beginning and how many bytes it has; a byte that is no UTF-8 is itself.
struct Point {
    std::uint32_t value = 0;
    std::size_t bytes = 1;
};
Point point_at(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text.front());
    std::size_t bytes = 1;
    if (first >= 0xc2) bytes = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (bytes == 1 || bytes > text.size()) return {first, 1};
    std::uint32_t value = first & (0xffU >> (bytes + 1));
    for (const char next : text.substr(1, bytes - 1)) {
        const auto byte = static_cast<std::uint8_t>(next);
        if ((byte & 0xc0U) != 0x80U) return {first, 1};
        value = (value << 6U) | (byte & 0x3fU);
    }
    return {value, bytes};
}

std::vector<std::uint16_t> utf16(std::string_view text) {
    constexpr std::uint32_t k_beyond = 0x10000;
    std::vector<std::uint16_t> out;
    while (!text.empty()) {
        const auto point = point_at(text);
        text.remove_prefix(point.bytes);
        if (point.value < k_beyond) {
            out.push_back(static_cast<std::uint16_t>(point.value));
            continue;
        }
        const auto rest = point.value - k_beyond;
        out.push_back(static_cast<std::uint16_t>(0xd800U | ((rest >> 10U) & 0x3ffU)));
        out.push_back(static_cast<std::uint16_t>(0xdc00U | (rest & 0x3ffU)));
    }
    return out;
}

/// Of a stream in which `before` bytes stand between the last whole group and the word.
std::string within_base64(std::string_view word, std::size_t before) {
    std::string stream(before, '\0');
    stream.append(word);
    const auto text = codec::base64(as_bytes(stream));
    const std::size_t first = before == 0 ? 0 : before + 1;
    const std::size_t whole = stream.size() * 8 / 6;
    return text.substr(first, whole - first);
}

}  // namespace

std::vector<std::string> forms_of(std::string_view word) {
    std::vector<std::string> forms{std::string(word), {}, {}};
    for (const auto unit : utf16(word)) {
        const char high = static_cast<char>(unit >> 8U);
        const char low = static_cast<char>(unit & 0xffU);
        forms[1].append({low, high});
        forms[2].append({high, low});
    }
    for (std::size_t before = 0; before < 3; ++before) {
        forms.push_back(within_base64(word, before));
        auto for_urls = forms.back();
        std::ranges::replace(for_urls, '+', '-');
        std::ranges::replace(for_urls, '/', '_');
        if (for_urls != forms.back()) forms.push_back(std::move(for_urls));
    }
    return forms;
}

}  // namespace postern::trust
