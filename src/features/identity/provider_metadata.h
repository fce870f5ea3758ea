#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/fetch/fetch_protocol.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::identity {

inline constexpr std::size_t k_issuer_bytes_max = 500;
inline constexpr std::size_t k_client_id_bytes_max = 255;

/// An https URL without a query (OpenID Connect Discovery 1.0 section 3).
[[nodiscard]] bool is_issuer(std::string_view text);
/// Printable ASCII.
[[nodiscard]] bool is_client_id(std::string_view text);
/// Where a provider says what it can do (section 4).
[[nodiscard]] std::string metadata_url(std::string_view issuer);

/// What of that matters here.
struct ProviderMetadata {
    std::string authorization_url;
    std::string token_url;
    std::string keys_url;
    fetch::ClientAuth auth = fetch::ClientAuth::none;
    bool says_issuer = false;  ///< its answers name it (RFC 9207)
};
/// Errors: ProviderError::unsuitable, also for an issuer that is not this one byte by byte.
[[nodiscard]] Result<ProviderMetadata> parse_provider_metadata(ByteView json,
                                                               std::string_view issuer,
                                                               bool has_secret);

}  // namespace postern::identity
