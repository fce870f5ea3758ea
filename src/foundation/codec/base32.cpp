#include "foundation/codec/base32.h"

#include "foundation/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned k_character_bits = 5;
constexpr unsigned k_byte_bits = 8;

std::optional<std::uint32_t> value_of(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a');
    if (c >= '2' && c <= '7') return static_cast<std::uint32_t>(c - '2') + 26;
    return std::nullopt;
}

}  // namespace

std::string base32(ByteView bytes) {
    std::string out;
    out.reserve((bytes.size() * k_byte_bits + k_character_bits - 1) / k_character_bits);
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (const auto byte : bytes) {
        held = held << k_byte_bits | byte;
        held_bits += k_byte_bits;
        while (held_bits >= k_character_bits) {
            held_bits -= k_character_bits;
            out += k_alphabet[held >> held_bits & 31U];
        }
        held &= (1U << held_bits) - 1;
    }
    if (held_bits != 0) out += k_alphabet[held << (k_character_bits - held_bits) & 31U];
    return out;
}

std::optional<Bytes> parse_base32(std::string_view text) {
    Bytes out;
    out.reserve(text.size() * k_character_bits / k_byte_bits);
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (const char c : text) {
        const auto value = value_of(c);
        if (!value) return std::nullopt;
        held = held << k_character_bits | *value;
        held_bits += k_character_bits;
        if (held_bits < k_byte_bits) continue;
        held_bits -= k_byte_bits;
        out.push_back(static_cast<std::uint8_t>(held >> held_bits));
        held &= (1U << held_bits) - 1;
    }
    // A whole character that adds no byte, or bits that no byte has.
    if (held_bits >= k_character_bits || held != 0) return std::nullopt;
    return out;
}

}  // namespace postern::codec
