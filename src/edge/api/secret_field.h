#pragma once

#include "foundation/codec/json.h"
#include "platform/keys/seals.h"

#include <optional>
#include <string_view>
#include <vector>

namespace postern::api {

/// A secret of a request: in clear into locked memory, or {"sealed": base64} to keeper's key.
[[nodiscard]] keys::SecretInput read_secret(codec::ObjectReader& body,
                                            std::string_view name,
                                            bool required);

/// A new shared secret: exactly one of the named field and "generate": true, the latter perhaps
/// with "shares" and "threshold".
struct NewSecret {
    bool generate = false;
    keys::ShareScheme shares;
    keys::SecretInput typed;
    bool is_empty_text = false;  ///< typed, and nothing in it: too weak rather than missing
};
[[nodiscard]] NewSecret read_new_secret(codec::ObjectReader& body, std::string_view name);

/// "P30D" within the bounds; 0 after an error.
[[nodiscard]] std::int64_t read_duration_s(codec::ObjectReader& body,
                                           std::string_view name,
                                           std::int64_t low,
                                           std::int64_t high,
                                           std::optional<std::int64_t> otherwise);

}  // namespace postern::api
