#pragma once

#include "edge/api/services.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "platform/net/http/request.h"
#include "platform/net/ip_address.h"

#include <memory>
#include <optional>
#include <string>

namespace postern::api {

/// What a request shows to say who asks. Copied out, for the check waits.
struct Credentials {
    std::optional<std::string> bearer;   ///< of Authorization; empty where it is of another form
    std::optional<std::string> session;  ///< of the cookie
    std::optional<std::string> workspace;
    identity::Unnamed unnamed = identity::Unnamed::refused;
    net::IpAddress from;
    bool changes_something = false;
    bool is_same_origin = false;
};

/// On TLS `__Host-postern` counts alone, on plain loopback `postern`.
[[nodiscard]] Credentials credentials_of(const net::http::Request& request);

/// A bearer token counts before a cookie. Errors: unauthenticated, foreign_origin, no_workspace,
/// workspace_needed.
async::Task<identity::Actor> authenticate(std::shared_ptr<const Services> services,
                                          Credentials credentials);

[[nodiscard]] std::string session_cookie(const Secret& text, bool is_secure, std::int64_t age_s);
[[nodiscard]] std::string ended_session_cookie(bool is_secure);

/// Of a browser that is away at an identity provider. Lax, so that it comes back from there; it
/// opens nothing.
[[nodiscard]] std::string away_cookie(const Secret& text, bool is_secure, std::int64_t age_s);
[[nodiscard]] std::string ended_away_cookie(bool is_secure);
[[nodiscard]] std::optional<std::string> away_cookie_of(const net::http::Request& request);

}  // namespace postern::api
