#pragma once

#include "foundation/base/secret.h"

#include <cstdint>
#include <span>

namespace postern::identity {

/// Of each of the commonest passwords that are long enough for us, in lower case, the first 8 bytes
/// of its SHA-256 as a number, most significant byte first. Sorted. Made when this is built.
[[nodiscard]] std::span<const std::uint64_t> common_password_prefixes();

/// Whether it is one of them, in whichever case (ASCII).
[[nodiscard]] bool is_common_password(const Secret& password);

}  // namespace postern::identity
