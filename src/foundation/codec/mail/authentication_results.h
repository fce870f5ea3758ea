#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec {

inline constexpr std::size_t k_authentication_field_bytes_max = 16 * 1024;
inline constexpr std::size_t k_authentication_server_bytes_max = 255;
inline constexpr std::size_t k_authentication_results_max = 64;

/// `none`: the field does not speak of the method; `undecided`: it does, and found neither (none,
/// neutral, softfail, policy, errors).
enum class AuthVerdict { none, pass, fail, undecided };

/// One Authentication-Results field (RFC 8601 section 2.2): who says it, and what was found about
/// the author's domain. It is worth as much as the server that wrote it.
struct AuthenticationResults {
    std::string server;     ///< the authserv-id in lower case; empty where there is none
    bool nameless = false;  ///< results without an authserv-id, as Exchange Online writes them
    AuthVerdict spf = AuthVerdict::none;
    AuthVerdict dkim = AuthVerdict::none;
    AuthVerdict dmarc = AuthVerdict::none;
    bool passed = false;
    bool failed = false;

    /// Else it says nothing.
    [[nodiscard]] bool well_formed() const { return nameless || !server.empty(); }

    /// `passed`: DMARC passes; without a DMARC result, SPF or DKIM does. `failed`: DMARC fails;
    /// without a DMARC result, SPF or DKIM fails and neither passes. What is undecided is neither.
    [[nodiscard]] static AuthenticationResults parse(std::string_view value);
};

}  // namespace postern::codec
