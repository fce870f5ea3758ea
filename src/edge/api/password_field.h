#pragma once

#include "edge/api/call.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "foundation/codec/json.h"

#include <cstdint>
#include <string_view>

namespace postern::api {

/// A password as it is typed, with every character that JSON can carry. Empty after an error.
[[nodiscard]] Secret read_password(codec::ObjectReader& body, std::string_view name);

/// The problem of whatever refused a new password; weak_password names its field and why.
[[nodiscard]] Response refuse_password(const Error& error,
                                       std::string_view field,
                                       std::uint64_t request_id);

}  // namespace postern::api
