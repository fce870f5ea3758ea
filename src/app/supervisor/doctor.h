#pragma once

#include "edge/cli/installation.h"

#include <vector>

namespace postern::app::supervisor {

/// What can be seen of an installation and its machine without its processes.
[[nodiscard]] std::vector<cli::DoctorCheck> look_around(const cli::Place& place);

}  // namespace postern::app::supervisor
