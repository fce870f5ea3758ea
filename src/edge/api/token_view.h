#pragma once

#include "features/identity/identity.h"

#include <string>

namespace postern::api {

/// As JSON, without its text.
[[nodiscard]] std::string token_json(const identity::Identity::Token& token);

}  // namespace postern::api
