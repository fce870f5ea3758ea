#pragma once

#include "foundation/base/error.h"

#include <cstdint>

namespace postern::reader {

/// Why a mail was refused as a whole. Everything milder is a Defect of the parsed mail.
enum class ReaderError : std::uint8_t { mail_too_large, too_many_parts };

[[nodiscard]] constexpr ErrorInfo describe(ReaderError error) {
    switch (error) {
        case ReaderError::mail_too_large:
            return {"mail_too_large", "The mail is larger than what can be read."};
        case ReaderError::too_many_parts:
            return {"mail_too_many_parts", "The mail has more parts than what can be read."};
    }
    return {"mail_unreadable", "The mail cannot be read."};
}

}  // namespace postern::reader
