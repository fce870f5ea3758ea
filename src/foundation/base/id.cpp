#include "foundation/base/id.h"

#include "foundation/base/check.h"

#include <sys/random.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::detail {
namespace {

constexpr std::string_view k_alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t k_id_characters = 26;  // 130 bits: the first two are always zero

}  // namespace

std::array<std::uint8_t, 16> make_id_bytes(std::int64_t now_ms) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::uint8_t>(now_ms >> (8 * (5 - i)));
    }
    POSTERN_CHECK(getrandom(bytes.data() + 6, 10, 0) == 10);
    return bytes;
}

std::string id_text(std::string_view prefix, const std::array<std::uint8_t, 16>& bytes) {
    std::string text(prefix);
    unsigned pending = 0;
    unsigned pending_bits = 2;
    for (const auto byte : bytes) {
        pending = (pending << 8) | byte;
        pending_bits += 8;
        while (pending_bits >= 5) {
            pending_bits -= 5;
            text.push_back(k_alphabet[(pending >> pending_bits) & 31U]);
        }
        pending &= (1U << pending_bits) - 1;
    }
    return text;
}

std::optional<std::array<std::uint8_t, 16>> parse_id(std::string_view prefix,
                                                     std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    if (text.size() != k_id_characters) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    unsigned pending = 0;
    unsigned pending_bits = 0;
    std::size_t filled = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto value = k_alphabet.find(text[i]);
        if (value == std::string_view::npos) return std::nullopt;
        if (i == 0 && value > 7) return std::nullopt;
        pending = (pending << 5) | static_cast<unsigned>(value);
        pending_bits += i == 0 ? 3 : 5;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            bytes[filled++] = static_cast<std::uint8_t>(pending >> pending_bits);
            pending &= (1U << pending_bits) - 1;
        }
    }
    return bytes;
}

}  // namespace postern::detail
