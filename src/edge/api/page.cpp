#include "edge/api/page.h"

#include "edge/api/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr std::size_t k_query_fields_max = 20;

std::optional<std::uint8_t> nibble(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const auto high = nibble(text[i + 1]);
        const auto low = nibble(text[i + 2]);
        if (!high || !low) return std::nullopt;
        out += static_cast<char>(*high << 4 | *low);
        i += 2;
    }
    return out;
}

bool has(const Fields& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return field.first == name; });
}

}  // namespace

std::string make_cursor(char list, ByteView position) {
    Bytes bytes{static_cast<std::uint8_t>(list)};
    bytes.insert(bytes.end(), position.begin(), position.end());
    return codec::base64url(bytes);
}

std::optional<Bytes> parse_cursor(char list, std::string_view text) {
    auto bytes = codec::parse_base64url(text);
    if (!bytes || bytes->empty() || bytes->front() != static_cast<std::uint8_t>(list)) {
        return std::nullopt;
    }
    bytes->erase(bytes->begin());
    return bytes;
}

std::optional<Fields> parse_form(std::string_view text, std::size_t fields_max) {
    Fields fields;
    while (!text.empty()) {
        const auto end = text.find('&');
        const auto pair = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (pair.empty()) continue;
        if (fields.size() == fields_max) return std::nullopt;
        const auto equals = pair.find('=');
        auto name = decode(pair.substr(0, equals));
        auto value =
            decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
        if (!name || !value || has(fields, *name)) return std::nullopt;
        fields.emplace_back(std::move(*name), std::move(*value));
    }
    return fields;
}

QueryReader::QueryReader(std::string_view query, std::vector<codec::FieldError>& errors)
    : errors_(errors) {
    auto parsed = parse_form(query.substr(0, k_query_bytes_max + 1), k_query_fields_max);
    if (!parsed || query.size() > k_query_bytes_max) {
        wrong("query");
    } else {
        fields_ = std::move(*parsed);
    }
}

void QueryReader::wrong(std::string_view name, std::string_view code) {
    errors_.push_back({std::string(name), code});
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t bytes_max) {
    asked_.push_back(name);
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const auto& field) { return field.first == name; });
    if (found == fields_.end()) return std::nullopt;
    if (found->second.size() > bytes_max) {
        wrong(name, "too_long");
        return std::nullopt;
    }
    return found->second;
}

std::optional<std::int64_t> QueryReader::number(std::string_view name,
                                                std::int64_t low,
                                                std::int64_t high) {
    const auto value = text(name, k_query_bytes_max);
    if (!value) return std::nullopt;
    std::int64_t number = 0;
    const auto* end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
        wrong(name, "wrong_type");
        return std::nullopt;
    }
    if (number < low || number > high) {
        wrong(name, "out_of_range");
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> QueryReader::duration_s(std::string_view name,
                                                    std::int64_t low,
                                                    std::int64_t high) {
    const auto value = text(name, k_query_bytes_max);
    if (!value) return std::nullopt;
    const auto seconds = parse_duration_s(*value);
    if (!seconds) {
        wrong(name);
        return std::nullopt;
    }
    if (*seconds < low || *seconds > high) wrong(name, "out_of_range");
    return seconds;
}

std::int64_t QueryReader::limit() {
    return number("limit", 1, k_page_max).value_or(k_page_default);
}

std::optional<Bytes> QueryReader::cursor(char list, std::size_t bytes) {
    const auto value = text("cursor", k_query_bytes_max);
    if (!value) return std::nullopt;
    auto position = parse_cursor(list, *value);
    if (position && position->size() == bytes) return position;
    wrong("cursor");
    return std::nullopt;
}

void QueryReader::finish() {
    constexpr std::size_t k_name_shown_max = 64;
    for (const auto& [name, value] : fields_) {
        if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
            wrong(std::string_view(name).substr(0, k_name_shown_max), "unknown_field");
        }
    }
}

Bytes number_position(std::int64_t number) {
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> shift));
    }
    return bytes;
}

std::int64_t number_at(const std::optional<Bytes>& position) {
    std::uint64_t number = 0;
    if (!position) return 0;
    for (const auto byte : *position)
        number = number << 8 | byte;
    return number >> 63 == 0 ? static_cast<std::int64_t>(number) : 0;
}

std::string list_json(const std::vector<std::string>& items,
                      const std::optional<std::string>& next_cursor) {
    codec::JsonWriter json;
    json.begin_object().begin_array("items");
    for (const auto& item : items)
        json.raw_item(item);
    json.end_array();
    if (next_cursor) {
        json.field("next_cursor", *next_cursor);
    } else {
        json.null_field("next_cursor");
    }
    json.end_object();
    return json.take();
}

}  // namespace postern::api
