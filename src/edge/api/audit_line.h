#pragma once

#include "platform/audit/audit_log.h"

#include <string>

namespace postern::api {

/// One record as a line of JSON, with its break: what its MAC is over, the MAC, and where somebody
/// came from in clear beside what is sealed.
[[nodiscard]] std::string audit_line(const audit::WholeRecord& record);

}  // namespace postern::api
