#include "foundation/codec/mail/crockford.h"

#include "foundation/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

constexpr std::string_view k_digits = "0123456789abcdefghjkmnpqrstvwxyz";

}  // namespace

std::string crockford(ByteView bytes) {
    const std::size_t digits = (bytes.size() * 8 + 4) / 5;
    std::string out;
    std::uint32_t bits = 0;
    std::size_t count = digits * 5 - bytes.size() * 8;
    for (const auto byte : bytes) {
        bits = (bits << 8U | byte) & 0xffffU;
        count += 8;
        while (count >= 5) {
            count -= 5;
            out += k_digits[(bits >> count) & 0x1fU];
        }
    }
    return out;
}

bool from_crockford(std::string_view text, std::span<std::uint8_t> out) {
    if (text.size() != (out.size() * 8 + 4) / 5) return false;
    std::uint32_t bits = 0;
    std::size_t padding = text.size() * 5 - out.size() * 8;
    std::size_t count = 0;
    std::size_t filled = 0;
    for (const char c : text) {
        const auto digit = k_digits.find(c);
        if (digit == std::string_view::npos) return false;
        bits = (bits << 5U | static_cast<std::uint32_t>(digit)) & 0xffffU;
        count += 5;
        if (padding != 0) {
            count -= padding;
            if ((bits >> count) != 0) return false;
            padding = 0;
        }
        if (count < 8) continue;
        count -= 8;
        out[filled++] = static_cast<std::uint8_t>((bits >> count) & 0xffU);
    }
    return true;
}

}  // namespace postern::codec
