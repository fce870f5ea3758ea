#pragma once

#include "foundation/base/secret.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace postern::vault {

/// Crockford base32 for what people copy by hand: no I, L, O or U, so that nothing looks alike.

/// Lower case, most significant bit first, in groups of `k_group` with dashes between. The last
/// character is filled up with zero bits.
inline constexpr std::size_t k_group = 5;
[[nodiscard]] Secret crockford_text(const Secret& bytes);

/// The value of one character, any case, with o read as 0 and i and l as 1; nothing for others.
[[nodiscard]] std::optional<std::uint8_t> crockford_value(std::uint8_t character) noexcept;

/// Its lower-case character; `value` is below 32.
[[nodiscard]] std::uint8_t crockford_character(std::uint8_t value) noexcept;

/// Reads `size` bytes from text; spaces, line ends and dashes between the characters do not
/// matter. Nothing where a character is foreign, or there are more or fewer than needed.
[[nodiscard]] std::optional<Secret> crockford_bytes(ByteView text, std::size_t size);

}  // namespace postern::vault
