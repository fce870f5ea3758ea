#include "platform/net/ip_address.h"

#include "foundation/base/bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::net {
namespace {

constexpr std::array<std::uint8_t, 12> k_mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// True when the first `bits` bits of both are equal.
bool same_prefix(ByteView a, ByteView b, unsigned bits) {
    const unsigned whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    const unsigned rest = bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return ((a[whole] ^ b[whole]) & mask) == 0;
}

bool bits_below_are_zero(ByteView bytes, unsigned prefix_bits) {
    for (unsigned bit = prefix_bits; bit < bytes.size() * 8; ++bit) {
        if (((bytes[bit / 8] >> (7 - bit % 8)) & 1U) != 0) return false;
    }
    return true;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
    IpAddress address;
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
    return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
    IpAddress address;
    address.size_ = 16;
    address.bytes_ = bytes;
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    std::array<std::uint8_t, 4> four{};
    if (inet_pton(AF_INET, terminated.data(), four.data()) == 1) return v4(four);
    std::array<std::uint8_t, 16> sixteen{};
    if (inet_pton(AF_INET6, terminated.data(), sixteen.data()) == 1) return v6(sixteen);
    return std::nullopt;
}

IpAddress IpAddress::unmapped() const {
    if (is_v4() || !std::equal(k_mapped_prefix.begin(), k_mapped_prefix.end(), bytes_.begin())) {
        return *this;
    }
    return v4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

bool IpAddress::is_loopback() const {
    const IpAddress plain = unmapped();
    if (plain.is_v4()) return plain.bytes_[0] == 127;
    return std::all_of(plain.bytes_.begin(), plain.bytes_.end() - 1,
                       [](std::uint8_t byte) { return byte == 0; }) &&
           plain.bytes_[15] == 1;
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
    return buffer.data();
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto base = IpAddress::parse(text.substr(0, slash));
    if (!base) return std::nullopt;
    const auto bits_max = static_cast<unsigned>(base->bytes().size() * 8);
    unsigned bits = bits_max;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const bool plain =
            !digits.empty() && digits.size() <= 3 &&
            std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!plain) return std::nullopt;
        std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    }
    if (bits > bits_max || !bits_below_are_zero(base->bytes(), bits)) return std::nullopt;
    const IpAddress plain = base->unmapped();
    if (plain == *base) return Cidr(plain, bits);
    if (bits < 96) return std::nullopt;
    return Cidr(plain, bits - 96);
}

bool Cidr::contains(const IpAddress& address) const {
    const IpAddress plain = address.unmapped();
    if (plain.is_v4() != base_.is_v4()) return false;
    return same_prefix(plain.bytes(), base_.bytes(), prefix_bits_);
}

std::string Cidr::text() const {
    return base_.text() + '/' + std::to_string(prefix_bits_);
}

bool contains(std::span<const Cidr> blocks, const IpAddress& address) {
    return std::any_of(blocks.begin(), blocks.end(),
                       [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace postern::net
