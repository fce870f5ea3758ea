#pragma once

#include "foundation/base/bytes.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::net {

/// An IPv4 or IPv6 address as a plain value. Only the standard text forms are read: no scope, no
/// brackets, no octal, hexadecimal or shortened IPv4.
class IpAddress {
public:
    /// 0.0.0.0
    IpAddress() = default;
    [[nodiscard]] static IpAddress v4(std::array<std::uint8_t, 4> bytes);
    [[nodiscard]] static IpAddress v6(std::array<std::uint8_t, 16> bytes);
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] bool is_v4() const noexcept { return size_ == 4; }
    /// 4 or 16 bytes, in network order.
    [[nodiscard]] ByteView bytes() const noexcept { return {bytes_.data(), size_}; }
    /// The IPv4 address inside ::ffff:a.b.c.d, else the address itself.
    [[nodiscard]] IpAddress unmapped() const;
    /// 127/8, ::1 and ::ffff:127/104.
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] std::string text() const;

    auto operator<=>(const IpAddress&) const = default;

private:
    std::uint8_t size_ = 4;
    std::array<std::uint8_t, 16> bytes_{};
};

/// A block of addresses: "10.0.0.0/8", "fd00::/8", or one address alone.
class Cidr {
public:
    /// Nothing when bits below the prefix are set: 10.0.0.1/8 is a mistake, not a block.
    [[nodiscard]] static std::optional<Cidr> parse(std::string_view text);

    /// IPv4-mapped IPv6 addresses are compared as IPv4.
    [[nodiscard]] bool contains(const IpAddress& address) const;
    [[nodiscard]] std::string text() const;

private:
    Cidr(IpAddress base, unsigned prefix_bits) : base_(base), prefix_bits_(prefix_bits) {}

    IpAddress base_;
    unsigned prefix_bits_;
};

[[nodiscard]] bool contains(std::span<const Cidr> blocks, const IpAddress& address);

}  // namespace postern::net
