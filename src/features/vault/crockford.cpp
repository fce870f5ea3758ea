#include "features/vault/crockford.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace postern::vault {
namespace {

constexpr std::string_view k_alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr unsigned k_bits = 5;

bool is_gap(std::uint8_t character) {
    return character == ' ' || character == '-' || character == '\t' || character == '\n' ||
           character == '\r';
}

std::uint8_t lower(std::uint8_t character) {
    return character >= 'A' && character <= 'Z' ? static_cast<std::uint8_t>(character + 32)
                                                : character;
}

/// Five bits from the given one on; beyond the last byte they are zero.
std::uint8_t bits_at(ByteView bytes, std::size_t first) {
    unsigned value = 0;
    for (std::size_t bit = first; bit < first + k_bits; ++bit) {
        const unsigned byte = bit / 8 < bytes.size() ? bytes[bit / 8] : 0;
        value = value << 1U | (byte >> (7 - bit % 8) & 1U);
    }
    return static_cast<std::uint8_t>(value);
}

}  // namespace

std::optional<std::uint8_t> crockford_value(std::uint8_t character) noexcept {
    auto wanted = static_cast<char>(lower(character));
    if (wanted == 'o') wanted = '0';
    if (wanted == 'i' || wanted == 'l') wanted = '1';
    const auto at = k_alphabet.find(wanted);
    if (at == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint8_t>(at);
}

std::uint8_t crockford_character(std::uint8_t value) noexcept {
    return static_cast<std::uint8_t>(k_alphabet[value % k_alphabet.size()]);
}

Secret crockford_text(const Secret& bytes) {
    const std::size_t count = (bytes.size() * 8 + k_bits - 1) / k_bits;
    auto text = Secret::of_size(count + (count == 0 ? 0 : (count - 1) / k_group));
    text.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        bytes.with_bytes([&](ByteView in) {
            std::size_t at = 0;
            for (std::size_t i = 0; i < count; ++i) {
                if (i != 0 && i % k_group == 0) out[at++] = '-';
                out[at++] = crockford_character(bits_at(in, i * k_bits));
            }
        });
    });
    return text;
}

std::optional<Secret> crockford_bytes(ByteView text, std::size_t size) {
    auto bytes = Secret::of_size(size);
    const bool whole = bytes.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        std::size_t bit = 0;
        const std::size_t bits = (size * 8 + k_bits - 1) / k_bits * k_bits;
        for (const auto character : text) {
            if (is_gap(character)) continue;
            const auto value = crockford_value(character);
            if (!value || bit == bits) return false;
            for (unsigned i = 0; i < k_bits; ++i, ++bit) {
                const unsigned one = *value >> (k_bits - 1 - i) & 1U;
                // What fills up the last character must be zero: one text per value.
                if (bit / 8 >= size && one != 0) return false;
                if (bit / 8 < size) out[bit / 8] |= static_cast<std::uint8_t>(one << (7 - bit % 8));
            }
        }
        return bit == bits;
    });
    if (!whole) return std::nullopt;
    return bytes;
}

}  // namespace postern::vault
