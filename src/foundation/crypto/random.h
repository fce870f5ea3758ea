#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <array>

namespace postern::crypto {

/// From the system's generator; aborts where there is none.
void fill_random(std::span<std::uint8_t> out);
[[nodiscard]] Bytes random_bytes(std::size_t size);
[[nodiscard]] Secret random_secret(std::size_t size);

inline constexpr std::size_t k_key_bytes = 32;
[[nodiscard]] inline Secret random_key() {
    return random_secret(k_key_bytes);
}

}  // namespace postern::crypto
