#include "platform/audit/anchor_line.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/base64.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace postern::audit {
namespace {

constexpr std::string_view k_form = "postern-anchor-1";
constexpr std::size_t k_parts = 6;
constexpr std::size_t k_mac_bytes = 32;

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
    return number;
}

}  // namespace

std::string line_of(const Anchor& anchor) {
    std::string line(k_form);
    line.append(" ").append(anchor.workspace.text());
    line.append(" ").append(std::to_string(anchor.number));
    line.append(" ").append(codec::hex(anchor.record_mac));
    line.append(" ").append(std::to_string(anchor.at_ms));
    return line.append(" ").append(codec::hex(anchor.mac));
}

std::optional<Anchor> parse_anchor(std::string_view line) {
    if (line.size() > k_anchor_line_bytes_max) return std::nullopt;
    std::array<std::string_view, k_parts> parts;
    auto rest = line;
    for (auto& part : parts) {
        const auto end = rest.find(' ');
        part = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    if (parts[0] != k_form) return std::nullopt;
    const auto workspace = WorkspaceId::parse(parts[1]);
    const auto number = number_of(parts[2]);
    auto record_mac = codec::parse_hex(parts[3]);
    const auto at_ms = number_of(parts[4]);
    auto mac = codec::parse_hex(parts[5]);
    if (!workspace || !number || *number == 0 || !record_mac || !at_ms || !mac) {
        return std::nullopt;
    }
    if (record_mac->size() != k_mac_bytes || mac->size() != k_mac_bytes) return std::nullopt;
    Anchor anchor{*workspace, *number, std::move(*record_mac), *at_ms, std::move(*mac)};
    // One form only: no other spacing, zeros or capitals.
    if (line_of(anchor) != line) return std::nullopt;
    return anchor;
}

}  // namespace postern::audit
