#pragma once

#include "edge/cli/admin_protocol.h"

#include <string>

namespace postern::cli {

/// A claim and what proving it came to: the verdict, the claim, and indented what was seen.
[[nodiscard]] std::string claim_as_text(const ClaimText& claim, const ProveClaim::Answer& proof);
/// The same as one line of JSON.
[[nodiscard]] std::string claim_as_json(const ClaimText& claim, const ProveClaim::Answer& proof);

}  // namespace postern::cli
