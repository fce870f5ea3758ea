#pragma once

#include "edge/cli/installation.h"

#include <string>

namespace postern::cli {

/// Parses, does and prints: the answer on standard output, everything else on standard error.
/// Returns 0 when it was done, 1 when it was refused or failed, 2 for a wrong command line.
[[nodiscard]] int run(int argc,
                      const char* const* argv,
                      const std::string& version,
                      Installation& installation);

}  // namespace postern::cli
