#pragma once

#include "app/supervisor/outcome.h"
#include "edge/cli/installation.h"

#include <functional>
#include <string>
#include <vector>

namespace postern::app::supervisor {

/// `postern serve`: all processes, the admin socket and the end by SIGTERM or SIGINT.
[[nodiscard]] Outcome<> serve(const cli::Place& place,
                              const std::vector<std::string>& listen,
                              const std::function<void(const cli::Serving&)>& announce);

}  // namespace postern::app::supervisor
