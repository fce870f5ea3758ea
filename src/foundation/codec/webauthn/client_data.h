#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <string>

namespace postern::webauthn {

/// What the browser says of the ceremony (Web Authentication Level 3 section 5.8.1). Members that
/// are not listed there are passed over: "may be extended with additional fields".
struct ClientData {
    std::string type;
    Bytes challenge;
    std::string origin;
    /// Made inside another site's frame: crossOrigin is true, or there is a topOrigin.
    bool is_cross_origin = false;
};

/// Errors: malformed_client_data.
[[nodiscard]] Result<ClientData> parse_client_data(ByteView json);

}  // namespace postern::webauthn
