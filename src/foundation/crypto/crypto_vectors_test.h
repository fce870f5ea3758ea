#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/place.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace postern::crypto {

inline Bytes from_hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
    }
    return bytes;
}

inline Secret secret_of(ByteView bytes) {
    return Secret::copy_of(bytes);
}
inline Secret secret_of(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}
inline Bytes bytes_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return to_bytes(bytes); });
}

/// A key whose bytes are all `fill`.
inline Secret test_key(std::uint8_t fill) {
    return Secret::copy_of(Bytes(32, fill));
}

inline Place test_place() {
    std::array<std::uint8_t, 16> id{};
    id[0] = 7;
    return {WorkspaceId(id), 42, {1, 2, 3}, 9};
}

}  // namespace postern::crypto
