#pragma once

#include "app/config/config.h"
#include "app/config/config_error.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace postern::app::config {

struct Loaded {
    Config config;
    std::vector<std::string> not_acted_on;  ///< accepted settings without an effect in this version
};

/// `listen` of the command line stands in place of the file's; without either it is
/// localhost:8080.
struct LoadOptions {
    std::vector<std::string> listen;
};

[[nodiscard]] std::expected<Loaded, Problems> load(std::string_view toml,
                                                   const LoadOptions& options = {});
/// An empty path: the defaults.
[[nodiscard]] std::expected<Loaded, Problems> load_file(const std::string& path,
                                                        const LoadOptions& options = {});

}  // namespace postern::app::config
