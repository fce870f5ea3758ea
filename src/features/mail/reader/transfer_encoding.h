#pragma once

#include "foundation/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::reader {

enum class TransferEncoding : std::uint8_t { identity, base64, quoted_printable, unknown };

/// From the value of Content-Transfer-Encoding. Unknown ones are read as they are.
[[nodiscard]] TransferEncoding parse_transfer_encoding(std::string_view value);

struct DecodedBody {
    Bytes bytes;
    bool broken = false;  ///< characters that the encoding does not have were left out
};

/// At most `bytes_max` bytes.
[[nodiscard]] DecodedBody decode_body(std::string_view body,
                                      TransferEncoding encoding,
                                      std::size_t bytes_max);

}  // namespace postern::reader
