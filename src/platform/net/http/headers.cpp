#include "platform/net/http/headers.h"

#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::net::http {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::find(std::string_view wanted) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (equal_ignoring_case(name(i), wanted)) return value(i);
    }
    return std::nullopt;
}

std::string Headers::joined(std::string_view wanted) const {
    std::string all;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (!equal_ignoring_case(name(i), wanted)) continue;
        if (!all.empty()) all += ", ";
        all += value(i);
    }
    return all;
}

std::string_view Headers::name(std::size_t index) const {
    const Field& field = fields_[index];
    return as_text(text_).substr(field.at, field.name_size);
}

std::string_view Headers::value(std::size_t index) const {
    const Field& field = fields_[index];
    return as_text(text_).substr(field.at + field.name_size, field.value_size);
}

void Headers::add(std::string_view name, std::string_view value) {
    fields_.push_back({.at = static_cast<std::uint32_t>(text_.size()),
                       .name_size = static_cast<std::uint32_t>(name.size()),
                       .value_size = static_cast<std::uint32_t>(value.size())});
    text_.append(name);
    text_.append(value);
}

void Headers::clear() {
    text_.clear();
    fields_.clear();
}

}  // namespace postern::net::http
