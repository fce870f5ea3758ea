#pragma once

#include "foundation/base/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::app::config {

enum class ConfigError {
    unreadable,
    syntax,
    unknown_key,
    wrong_type,
    out_of_range,
    invalid_value,
    missing_key,
    certificate_needed,
};

constexpr ErrorInfo describe(ConfigError error) {
    switch (error) {
        case ConfigError::unreadable:
            return {"config_unreadable", "The configuration file cannot be read."};
        case ConfigError::syntax: return {"config_syntax", "This is not valid TOML."};
        case ConfigError::unknown_key: return {"config_unknown_key", "There is no such setting."};
        case ConfigError::wrong_type:
            return {"config_wrong_type", "The setting's value is of another type."};
        case ConfigError::out_of_range:
            return {"config_out_of_range", "The setting's value is too small or too large."};
        case ConfigError::invalid_value:
            return {"config_invalid_value", "The setting's value is not valid."};
        case ConfigError::missing_key: return {"config_missing_key", "A setting is missing."};
        case ConfigError::certificate_needed:
            return {"certificate_needed",
                    "Plain HTTP is served on loopback only; another address demands a certificate: "
                    "set [tls] certificate and key, or listen on loopback behind a proxy."};
    }
    return {"config_invalid_value", "The setting's value is not valid."};
}

/// One thing wrong with a configuration.
struct Problem {
    ConfigError code = ConfigError::invalid_value;
    std::string key;         ///< "egress.allow_private[0]"; empty: the file
    std::uint32_t line = 0;  ///< 0: not in a line
    std::string text;        ///< for the operator
};
using Problems = std::vector<Problem>;

}  // namespace postern::app::config
