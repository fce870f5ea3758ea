#pragma once

#include "foundation/base/result.h"

namespace postern::crypto {

/// One error for every failure to open, whatever its cause: a wrong key, a changed byte, another
/// place. More would be an oracle.
enum class CryptoError { cannot_open, out_of_memory };

constexpr ErrorInfo describe(CryptoError error) {
    switch (error) {
        case CryptoError::cannot_open: return {"cannot_open", "This cannot be opened."};
        case CryptoError::out_of_memory:
            return {"busy", "Too much is going on at the moment. Please try again."};
    }
    return {"cannot_open", "This cannot be opened."};
}

}  // namespace postern::crypto
