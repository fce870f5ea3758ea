#include "edge/api/request_conditions.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::api {
namespace {

constexpr std::string_view k_blanks = " \t";

void skip(std::string_view& text, std::string_view of) {
    text.remove_prefix(std::min(text.find_first_not_of(of), text.size()));
}

/// An entity-tag at the beginning, with its quotes; empty: none. RFC 9110 section 8.8.3.
std::string_view take_tag(std::string_view& text) {
    const std::size_t start = text.starts_with("W/") ? 2 : 0;
    if (start >= text.size() || text[start] != '"') return {};
    const auto end = text.find('"', start + 1);
    if (end == std::string_view::npos) return {};
    const auto tag = text.substr(0, end + 1);
    const auto is_tag_char = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
    };
    if (!std::ranges::all_of(tag.substr(start + 1, end - start - 1), is_tag_char)) return {};
    text.remove_prefix(tag.size());
    return tag;
}

}  // namespace

bool if_match_permits(std::string_view field, std::string_view etag) {
    if (field == "*") return true;
    bool has_it = false;
    // Empty members of a list are allowed (section 5.6.1.2).
    for (skip(field, " \t,"); !field.empty(); skip(field, " \t,")) {
        const auto tag = take_tag(field);
        if (tag.empty()) return false;
        has_it = has_it || tag == etag;
        skip(field, k_blanks);
        if (!field.empty() && field.front() != ',') return false;
    }
    return has_it;
}

std::optional<std::int64_t> parse_event_id(std::string_view field) {
    std::int64_t number = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), number);
    if (read.ec != std::errc() || number < 0 || std::to_string(number) != field) {
        return std::nullopt;
    }
    return number;
}

}  // namespace postern::api
