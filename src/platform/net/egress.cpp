#include "platform/net/egress.h"

#include "foundation/base/check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace postern::net {
namespace {

constexpr std::size_t k_name_characters_max = 253;
constexpr std::size_t k_label_characters_max = 63;

// IANA special-purpose registries (RFC 6890 and its updates).
constexpr std::array<std::string_view, 14> k_special_v4 = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"};

// Outside 2000::/3 nothing is global unicast; inside it these are not either.
constexpr std::array<std::string_view, 3> k_special_v6 = {"2001::/23", "2001:db8::/32",
                                                          "3fff::/20"};
constexpr std::string_view k_global_v6 = "2000::/3";
constexpr std::string_view k_nat64 = "64:ff9b::/96";
constexpr std::string_view k_6to4 = "2002::/16";

bool in_block(std::string_view block, const IpAddress& address) {
    const auto parsed = Cidr::parse(block);
    POSTERN_CHECK(parsed.has_value());
    return parsed->contains(address);
}

template <std::size_t N>
bool in_any(const std::array<std::string_view, N>& blocks, const IpAddress& address) {
    return std::any_of(blocks.begin(), blocks.end(),
                       [&](std::string_view block) { return in_block(block, address); });
}

IpAddress v4_at(const IpAddress& address, std::size_t at) {
    const auto bytes = address.bytes();
    return IpAddress::v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
}

/// The IPv4 address that a translator or relay would send this to.
std::optional<IpAddress> carried_v4(const IpAddress& address) {
    if (in_block(k_nat64, address)) return v4_at(address, 12);
    if (in_block(k_6to4, address)) return v4_at(address, 2);
    return std::nullopt;
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > k_label_characters_max) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return std::all_of(label.begin(), label.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

/// Resolvers read "1", "0177" and "0x7f" as numbers, and a name that ends so as an IPv4 address.
bool is_number(std::string_view label) {
    const bool hex = label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
    const auto digits = hex ? label.substr(2) : label;
    return std::all_of(digits.begin(), digits.end(), [hex](char c) {
        const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        return (c >= '0' && c <= '9') || (hex && letter);
    });
}

}  // namespace

bool is_public(const IpAddress& given) {
    const IpAddress address = given.unmapped();
    if (address.is_v4()) return !in_any(k_special_v4, address);
    if (const auto carried = carried_v4(address)) return !in_any(k_special_v4, *carried);
    return in_block(k_global_v6, address) && !in_any(k_special_v6, address);
}

bool EgressPolicy::permits(const IpAddress& address) const {
    return is_public(address) || contains(allow_private, address);
}

bool is_host_name(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > k_name_characters_max) return false;
    std::string_view label;
    for (std::size_t at = 0; at <= text.size(); at += label.size() + 1) {
        label = text.substr(at, text.find('.', at) - at);
        if (!is_label(label)) return false;
    }
    return !is_number(label);
}

}  // namespace postern::net
