#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/secret.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::crypto {

/// RFC 4226, section 4: a key of 160 bits.
inline constexpr std::size_t k_one_time_key_bytes = 20;
inline constexpr unsigned k_one_time_digits = 6;
inline constexpr std::int64_t k_time_step_s = 30;

/// HOTP (RFC 4226) with HMAC-SHA-1, which is all that authenticator apps agree on. `digits`: 6
/// to 8.
[[nodiscard]] std::string one_time_code(const Secret& key,
                                        std::uint64_t counter,
                                        unsigned digits = k_one_time_digits);

/// TOTP (RFC 6238): the counter is the number of whole steps since 1970; negative before.
[[nodiscard]] std::int64_t time_step_at(UnixMs at_ms);
/// The step whose code this is: `now_step`, the one before or the one after, because clocks differ;
/// and later than `last_step`, since no code counts twice. Looks at all three whatever fits.
[[nodiscard]] std::optional<std::int64_t> match_time_code(const Secret& key,
                                                          std::string_view code,
                                                          std::int64_t now_step,
                                                          std::int64_t last_step);

}  // namespace postern::crypto
