#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/jose/jose_error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::jose {

/// OpenID Connect Core 1.0 section 2: a subject has at most 255 ASCII characters.
inline constexpr std::size_t k_subject_bytes_max = 255;
/// By so much the provider's clock may differ from ours.
inline constexpr std::int64_t k_leeway_s = 60;
/// A token that is older was not made for a sign-in that ends now.
inline constexpr std::int64_t k_token_age_max_s = 600;

/// What a provider says of somebody who signed in there.
struct IdToken {
    std::string issuer;
    std::string subject;
    std::vector<std::string> audience;
    std::optional<std::string> authorized_party;
    std::int64_t expires_at_s = 0;
    std::int64_t issued_at_s = 0;
    std::string nonce;
    std::optional<std::int64_t> signed_in_at_s;  ///< auth_time
    std::string email;                           ///< empty: it says none that can be read
    bool email_is_verified = false;
};
/// The payload of a signed token. Errors: malformed.
[[nodiscard]] Result<IdToken> parse_id_token(ByteView payload);

struct Expected {
    std::string issuer;
    std::string client_id;
    std::string nonce;
    std::int64_t now_s = 0;
    std::optional<std::int64_t> signed_in_after_s;  ///< the sign-in there must be of later
};
/// OpenID Connect Core 1.0 section 3.1.3.7, and stricter: for us alone, and made now.
/// Errors: wrong_issuer, wrong_audience, wrong_party, expired, not_yet_issued, wrong_nonce,
/// signed_in_too_long_ago.
[[nodiscard]] Result<> judge(const IdToken& token, const Expected& expected);

}  // namespace postern::jose
