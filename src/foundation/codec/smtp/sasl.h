#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <string_view>

namespace postern::smtp {

/// Secret: no copy is left outside the result.
[[nodiscard]] WipedBytes base64_line(ByteView bytes);
/// The message of SASL PLAIN (RFC 4616).
[[nodiscard]] WipedBytes sasl_plain_line(std::string_view user, const Secret& password);

}  // namespace postern::smtp
