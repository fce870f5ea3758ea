#include "foundation/codec/zstd_frame.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/compress.h"

#include <zstd.h>
#include <cstddef>

namespace postern::codec {

Result<Bytes> inflate_frame(ByteView from, std::size_t bytes_max) {
    const auto size = ZSTD_getFrameContentSize(from.data(), from.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
        return fail(CompressError::damaged);
    }
    if (size > bytes_max) return fail(CompressError::too_large);
    const auto packed = ZSTD_findFrameCompressedSize(from.data(), from.size());
    if (ZSTD_isError(packed) != 0U) return fail(CompressError::damaged);
    Bytes out(size);
    const auto got = ZSTD_decompress(out.data(), out.size(), from.data(), packed);
    if (ZSTD_isError(got) != 0U || got != size) return fail(CompressError::damaged);
    return out;
}

}  // namespace postern::codec
