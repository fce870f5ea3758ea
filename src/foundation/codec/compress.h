#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace postern::codec {

enum class CompressError { damaged, too_large };

constexpr ErrorInfo describe(CompressError error) {
    switch (error) {
        case CompressError::damaged: return {"damaged", "The stored data is damaged."};
        case CompressError::too_large: return {"too_large", "The stored data is too large."};
    }
    return {"damaged", "The stored data is damaged."};
}

/// zstd, level 3, where the first 4 KiB show that it helps; else as it is.
/// Form: 0 | bytes, or 1 | zstd frame with its content size.
[[nodiscard]] Bytes compress(ByteView data);
/// Errors: damaged; too_large when the frame promises more than `bytes_max`.
[[nodiscard]] Result<Bytes> decompress(ByteView packed, std::size_t bytes_max);

}  // namespace postern::codec
