#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <array>
#include <string_view>

namespace postern::crypto {

using Hash = std::array<std::uint8_t, 32>;

[[nodiscard]] Hash sha256(ByteView data);
/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] Hash hmac(const Secret& key, ByteView data);
/// HKDF-SHA-256 (RFC 5869), 32 bytes. `info` names the one job the key is for.
[[nodiscard]] Secret derive_key(const Secret& secret, std::string_view info, ByteView salt = {});
/// Joins two secrets so that neither alone says anything about the result.
[[nodiscard]] Secret derive_key(const Secret& first,
                                const Secret& second,
                                std::string_view info,
                                ByteView salt = {});
/// Takes as long for a wrong first byte as for a wrong last one.
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace postern::crypto
