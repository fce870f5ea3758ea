#include "foundation/codec/imap/sasl.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::imap {

void append_base64(WipedBytes& out, ByteView bytes) {
    constexpr std::string_view k_alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8 | (j < n ? bytes[i + j] : 0u);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            const char digit = k_alphabet[group >> (18 - 6 * j) & 0x3f];
            out.push_back(static_cast<std::uint8_t>(j <= n ? digit : '='));
        }
    }
}

void append_sasl_plain(WipedBytes& out, std::string_view user, const Secret& password) {
    WipedBytes message;
    message.reserve(user.size() + password.size() + 2);
    message.push_back(0);
    message.append(user);
    message.push_back(0);
    password.with_bytes([&message](ByteView bytes) { message.append(bytes); });
    append_base64(out, message);
}

}  // namespace postern::imap
