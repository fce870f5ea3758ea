#include "edge/api/site.h"

#include "edge/api/services.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::api {
namespace {

struct HostPort {
    std::string_view name;
    std::string_view port;  ///< digits, empty: none
    bool is_good = false;
};

HostPort split(std::string_view host) {
    HostPort out;
    const auto bracket = host.starts_with('[') ? host.find(']') : 0;
    if (bracket == std::string_view::npos) return out;
    const auto colon = host.find(':', bracket);
    out.name = host.substr(0, colon);
    out.is_good = true;
    if (colon != std::string_view::npos) {
        out.port = host.substr(colon + 1);
        out.is_good = !out.port.empty();
    }
    return out;
}

bool is_loopback_name(std::string_view name) {
    return net::http::equal_ignoring_case(name, "localhost") || name == "127.0.0.1" ||
           name == "[::1]";
}

bool is_port_of(const Site& site, std::string_view port) {
    if (port.empty()) return true;
    std::uint16_t number = 0;
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) return false;
    return std::find(site.ports.begin(), site.ports.end(), number) != site.ports.end();
}

/// "postern.example:8443" of "https://postern.example:8443/x".
std::string_view host_of_url(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    url.remove_prefix(scheme + 3);
    return url.substr(0, url.find_first_of("/?#"));
}

std::string own_origin(const net::http::Request& request) {
    return (request.secure ? "https://" : "http://") + request.host;
}

}  // namespace

bool is_our_host(const Site& site, std::string_view host) {
    if (host.empty()) return false;
    const auto ours = host_of_url(site.public_url);
    if (!ours.empty() && net::http::equal_ignoring_case(host, ours)) return true;
    const auto parts = split(host);
    return parts.is_good && is_loopback_name(parts.name) && is_port_of(site, parts.port);
}

bool is_loopback_host(std::string_view host) {
    const auto parts = split(host);
    return parts.is_good && is_loopback_name(parts.name);
}

bool is_same_origin(const net::http::Request& request) {
    if (const auto from = request.headers.find("Sec-Fetch-Site")) return *from == "same-origin";
    const auto origin = request.headers.find("Origin");
    return origin && net::http::equal_ignoring_case(*origin, own_origin(request));
}

bool is_not_foreign(const net::http::Request& request) {
    if (const auto from = request.headers.find("Sec-Fetch-Site")) {
        return *from == "same-origin" || *from == "none";
    }
    const auto origin = request.headers.find("Origin");
    return !origin || net::http::equal_ignoring_case(*origin, own_origin(request));
}

std::string page_redirect(const net::http::Request& request) {
    if (request.secure || (request.method != "GET" && request.method != "HEAD")) return {};
    const auto parts = split(request.host);
    if (parts.name != "127.0.0.1" && parts.name != "[::1]") return {};
    std::string url = "http://localhost";
    if (!parts.port.empty()) url.append(":").append(parts.port);
    return url + request.target;
}

std::string page_url(const Site& site, const net::http::Request& request, std::string_view path) {
    if (!site.public_url.empty()) return site.public_url + std::string(path);
    // Only this machine's own names come this far.
    const auto port = split(request.host).port;
    std::string url = request.secure ? "https://localhost" : "http://localhost";
    if (!port.empty()) url.append(":").append(port);
    return url.append(path);
}

std::string own_place(const Site& site, const net::http::Request& request) {
    std::string place = site.public_url.empty() ? own_origin(request) : site.public_url;
    while (place.ends_with('/'))
        place.pop_back();
    return place;
}

std::string callback_place(const Site& site, const net::http::Request& request) {
    return own_place(site, request) + "/sign-in/oidc/callback";
}

std::string public_place(const Site& site, const net::http::Request& request) {
    const auto ours = host_of_url(site.public_url);
    if (ours.empty() || net::http::equal_ignoring_case(request.host, ours)) return {};
    return own_place(site, request) + std::string(request.path());
}

void add_security_headers(net::http::Response& response, bool is_secure) {
    auto& headers = response.headers;
    const auto add = [&](std::string_view name, std::string_view value) {
        const bool is_there = std::any_of(headers.begin(), headers.end(),
                                          [&](const auto& field) { return field.first == name; });
        if (!is_there) headers.emplace_back(name, value);
    };
    add("Cache-Control", "no-store");
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("X-Frame-Options", "DENY");
    if (is_secure) add("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace postern::api
