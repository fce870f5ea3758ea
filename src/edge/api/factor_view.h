#pragma once

#include "edge/api/call.h"
#include "features/identity/second_factors.h"

#include <string>

namespace postern::api {

[[nodiscard]] std::string factor_json(const identity::Factor& factor);
/// One that counts from now on; with a person's first one come recovery codes.
[[nodiscard]] Response confirmed_response(int status, const identity::Confirmed& confirmed);

}  // namespace postern::api
