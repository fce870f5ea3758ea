#pragma once

#include "edge/cli/installation.h"
#include "foundation/base/secret.h"

namespace postern::cli {

enum class SheetForm { html, svg };

/// A recovery kit as a document to print: one share a page, as text and as QR code, with what to do
/// with it. It needs nothing from elsewhere.
[[nodiscard]] Secret recovery_sheet(const Kit& kit, SheetForm form);

}  // namespace postern::cli
