#pragma once

#include "foundation/base/bytes.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {

/// RFC 4648, section 4, with padding.
[[nodiscard]] std::string base64(ByteView bytes);
/// Accepts exactly what base64() prints: no spaces, full padding, zero rest bits.
[[nodiscard]] std::optional<Bytes> parse_base64(std::string_view text);

/// RFC 4648, section 5, without padding: for URLs and tokens.
[[nodiscard]] std::string base64url(ByteView bytes);
[[nodiscard]] std::optional<Bytes> parse_base64url(std::string_view text);

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex(ByteView bytes);
[[nodiscard]] std::optional<Bytes> parse_hex(std::string_view text);

}  // namespace postern::codec
