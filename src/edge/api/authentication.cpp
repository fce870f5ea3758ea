#include "edge/api/authentication.h"

#include "edge/api/api_error.h"
#include "edge/api/services.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/identity_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

constexpr std::string_view k_secure_cookie = "__Host-postern";
constexpr std::string_view k_plain_cookie = "postern";
constexpr std::string_view k_secure_away_cookie = "__Host-postern-away";
constexpr std::string_view k_plain_away_cookie = "postern-away";

std::string_view cookie_name(bool is_secure) {
    return is_secure ? k_secure_cookie : k_plain_cookie;
}

std::optional<std::string> cookie_value(std::string_view cookies, std::string_view name) {
    while (!cookies.empty()) {
        const auto end = cookies.find(';');
        auto pair = cookies.substr(0, end);
        cookies = end == std::string_view::npos ? std::string_view{} : cookies.substr(end + 1);
        while (pair.starts_with(' '))
            pair.remove_prefix(1);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
            return std::string(pair.substr(equals + 1));
        }
    }
    return std::nullopt;
}

/// Empty where the scheme is another: shown, and wrong.
std::string bearer_of(std::string_view authorization) {
    constexpr std::string_view k_scheme = "Bearer ";
    const auto scheme = authorization.substr(0, k_scheme.size());
    if (!net::http::equal_ignoring_case(scheme, k_scheme)) return {};
    return std::string(authorization.substr(k_scheme.size()));
}

std::string_view away_cookie_name(bool is_secure) {
    return is_secure ? k_secure_away_cookie : k_plain_away_cookie;
}

enum class SameSite { strict, lax };

std::string attributes(bool is_secure, SameSite same_site) {
    std::string out = "; Path=/; HttpOnly; SameSite=";
    out.append(same_site == SameSite::strict ? "Strict" : "Lax");
    return out.append(is_secure ? "; Secure" : "");
}

std::string cookie(std::string_view name,
                   const Secret& text,
                   std::int64_t age_s,
                   const std::string& attributes) {
    constexpr std::size_t k_room = 160;
    std::string out;
    out.reserve(k_room + text.size());
    out.append(name).append("=");
    text.with_bytes([&](ByteView bytes) { out.append(as_text(bytes)); });
    return out.append("; Max-Age=").append(std::to_string(age_s)).append(attributes);
}

}  // namespace

Credentials credentials_of(const net::http::Request& request) {
    Credentials out;
    if (const auto header = request.headers.find("Authorization")) out.bearer = bearer_of(*header);
    const auto cookies = request.headers.joined("Cookie");
    out.session = cookie_value(cookies, cookie_name(request.secure));
    if (const auto header = request.headers.find("Postern-Workspace")) out.workspace = *header;
    out.from = request.peer.address;
    out.changes_something = request.method != "GET" && request.method != "HEAD";
    out.is_same_origin = is_same_origin(request);
    return out;
}

async::Task<identity::Actor> authenticate(std::shared_ptr<const Services> services,
                                          Credentials credentials) {
    std::optional<WorkspaceId> workspace;
    if (credentials.workspace) {
        workspace = WorkspaceId::parse(*credentials.workspace);
        if (!workspace) co_return fail(identity::IdentityError::no_workspace);
    }
    if (credentials.bearer) {
        auto actor = co_await services->identity.authenticate_token(std::move(*credentials.bearer),
                                                                    credentials.from);
        if (actor && workspace && actor->workspace != *workspace) {
            co_return fail(identity::IdentityError::no_workspace);
        }
        co_return actor;
    }
    if (!credentials.session) co_return fail(identity::IdentityError::unauthenticated);
    if (credentials.changes_something && !credentials.is_same_origin) {
        co_return fail(ApiError::foreign_origin);
    }
    auto actor = co_await services->identity.authenticate_session(std::move(*credentials.session),
                                                                  workspace, credentials.unnamed);
    if (actor) actor->from = credentials.from;
    co_return actor;
}

std::string session_cookie(const Secret& text, bool is_secure, std::int64_t age_s) {
    return cookie(cookie_name(is_secure), text, age_s, attributes(is_secure, SameSite::strict));
}

std::string ended_session_cookie(bool is_secure) {
    return std::string(cookie_name(is_secure)) + "=; Max-Age=0" +
           attributes(is_secure, SameSite::strict);
}

std::string away_cookie(const Secret& text, bool is_secure, std::int64_t age_s) {
    return cookie(away_cookie_name(is_secure), text, age_s, attributes(is_secure, SameSite::lax));
}

std::string ended_away_cookie(bool is_secure) {
    return std::string(away_cookie_name(is_secure)) + "=; Max-Age=0" +
           attributes(is_secure, SameSite::lax);
}

std::optional<std::string> away_cookie_of(const net::http::Request& request) {
    return cookie_value(request.headers.joined("Cookie"), away_cookie_name(request.secure));
}

}  // namespace postern::api
