#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::codec {

/// How every zstd frame begins (RFC 8878, section 3.1.1).
inline constexpr std::array<std::uint8_t, 4> k_zstd_magic{0x28, 0xb5, 0x2f, 0xfd};

/// What the frame holds that these bytes begin with, whatever follows it.
/// Errors: CompressError::damaged, also for a frame that does not say its size or goes on behind
/// the end; too_large when it promises more than `bytes_max`.
[[nodiscard]] Result<Bytes> inflate_frame(ByteView from, std::size_t bytes_max);

}  // namespace postern::codec
