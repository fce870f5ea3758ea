#include "foundation/codec/compress.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <zstd.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace postern::codec {
namespace {

constexpr std::uint8_t k_plain = 0;
constexpr std::uint8_t k_zstd = 1;
constexpr int k_level = 3;
constexpr std::size_t k_probe_bytes = 4096;

Bytes zstd(ByteView data) {
    Bytes out(1 + ZSTD_compressBound(data.size()));
    out[0] = k_zstd;
    const auto size =
        ZSTD_compress(out.data() + 1, out.size() - 1, data.data(), data.size(), k_level);
    if (ZSTD_isError(size) != 0U) return {};
    out.resize(1 + size);
    return out;
}

/// Whether it is smaller by at least a sixteenth.
bool helps(std::size_t packed, std::size_t plain) {
    return packed < plain - plain / 16;
}

Bytes as_it_is(ByteView data) {
    Bytes out{k_plain};
    out.insert(out.end(), data.begin(), data.end());
    return out;
}

}  // namespace

Bytes compress(ByteView data) {
    const auto probe = data.first(std::min(data.size(), k_probe_bytes));
    const auto tried = zstd(probe);
    if (tried.empty() || !helps(tried.size(), probe.size())) return as_it_is(data);
    auto packed = zstd(data);
    if (packed.empty() || !helps(packed.size(), data.size())) return as_it_is(data);
    return packed;
}

Result<Bytes> decompress(ByteView packed, std::size_t bytes_max) {
    if (packed.empty()) return fail(CompressError::damaged);
    const auto body = packed.subspan(1);
    if (packed[0] == k_plain) {
        if (body.size() > bytes_max) return fail(CompressError::too_large);
        return to_bytes(body);
    }
    if (packed[0] != k_zstd) return fail(CompressError::damaged);
    const auto size = ZSTD_getFrameContentSize(body.data(), body.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
        return fail(CompressError::damaged);
    }
    if (size > bytes_max) return fail(CompressError::too_large);
    Bytes out(size);
    const auto got = ZSTD_decompress(out.data(), out.size(), body.data(), body.size());
    if (ZSTD_isError(got) != 0U || got != size) return fail(CompressError::damaged);
    return out;
}

}  // namespace postern::codec
