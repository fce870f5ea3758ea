#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::identity {

/// A random bearer secret: its text is shown once, its hash is stored. 256 random bits need no
/// slow hash.
struct Bearer {
    Secret text;
    crypto::Hash hash{};
};

inline constexpr std::string_view k_api_token_prefix = "pst_";
inline constexpr std::string_view k_session_prefix = "pss_";
inline constexpr std::string_view k_setup_prefix = "";
inline constexpr std::string_view k_invitation_prefix = "psi_";
inline constexpr std::string_view k_reset_prefix = "psr_";

/// `prefix` and 43 characters of base64url; of an API token, 6 characters more of base62: the
/// CRC-32 of what is before them, by which scanners of code tell one from text that only looks so.
[[nodiscard]] Bearer make_bearer(std::string_view prefix);
/// What is stored for this text; nothing unless it has the form that make_bearer() gives. API
/// tokens of before have no checksum.
[[nodiscard]] std::optional<crypto::Hash> hash_of_bearer(std::string_view prefix,
                                                         std::string_view text);

/// Keeper counts openings per handle; a hash's first bytes are as good a name as any.
[[nodiscard]] std::uint64_t handle_of(const crypto::Hash& hash);

}  // namespace postern::identity
