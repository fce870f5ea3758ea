#pragma once

#include "edge/cli/admin_protocol.h"

#include <string>

namespace postern::cli {

struct AuditReport {
    std::string text;
    bool is_whole = true;
};
/// What going through the records came to, a line for each chain and second place; what was found
/// in a log only `with_log`.
[[nodiscard]] AuditReport report_of(const VerifyAudit::Answer& answer, bool with_log);

}  // namespace postern::cli
