#pragma once

#include "foundation/base/error.h"

namespace postern::audit {

enum class AuditError { rolled_back, segment_full, no_segment };

constexpr ErrorInfo describe(AuditError error) {
    switch (error) {
        case AuditError::rolled_back:
            return {"audit_rolled_back",
                    "The audit record is older than what was written to it. Nothing was changed."};
        case AuditError::segment_full:
        case AuditError::no_segment:
            return {"busy", "Too much is going on at the moment. Please try again."};
    }
    return {"internal_error", "Something went wrong inside."};
}

}  // namespace postern::audit
