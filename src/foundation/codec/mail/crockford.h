#pragma once

#include "foundation/base/bytes.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postern::codec {

/// Lower-case Crockford base32 of the bytes as one large number, most significant digit first, so
/// that an id prints as everywhere.
[[nodiscard]] std::string crockford(ByteView bytes);

/// The other way round; false, with `out` in any state, for what crockford() does not print.
[[nodiscard]] bool from_crockford(std::string_view text, std::span<std::uint8_t> out);

}  // namespace postern::codec
