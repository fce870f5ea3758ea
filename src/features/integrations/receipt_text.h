#pragma once

#include "features/integrations/integration_types.h"

#include <string>

namespace postern::integrations {

/// The receipt as JSON. Without the signature it is exactly what was signed: fields in this order,
/// no spaces.
[[nodiscard]] std::string receipt_json(const Receipt& receipt, bool with_signature);

}  // namespace postern::integrations
