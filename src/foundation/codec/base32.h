#pragma once

#include "foundation/base/bytes.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {

/// RFC 4648, section 6, in capitals and without padding: for what people type.
[[nodiscard]] std::string base32(ByteView bytes);
/// Accepts capital and small letters, and nothing but what base32() prints of them: no spaces, no
/// padding, zero rest bits.
[[nodiscard]] std::optional<Bytes> parse_base32(std::string_view text);

}  // namespace postern::codec
