#include "foundation/codec/http/https_url.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::codec::http {
namespace {

constexpr std::string_view k_scheme = "https://";
constexpr std::size_t k_host_bytes_max = 255;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_unreserved(char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string::npos;
}

/// RFC 3986 section 3.3 and 3.4; every "%" begins a whole escape.
bool is_target(std::string_view text) {
    constexpr std::string_view k_others = "!$&'()*+,;=:@/?";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
            i += 2;
        } else if (!is_unreserved(text[i]) && k_others.find(text[i]) == std::string::npos) {
            return false;
        }
    }
    return true;
}

bool is_name(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}
bool is_bracketed(std::string_view host) {
    if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
    const auto inside = host.substr(1, host.size() - 2);
    return std::all_of(inside.begin(), inside.end(),
                       [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    constexpr std::size_t k_digits_max = 5;
    if (text.empty() || text.size() > k_digits_max || text.front() == '0') return std::nullopt;
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return port;
}

}  // namespace

std::optional<HttpsUrl> HttpsUrl::parse(std::string_view text) {
    if (text.size() > k_url_bytes_max || !text.starts_with(k_scheme)) return std::nullopt;
    const auto rest = text.substr(k_scheme.size());
    const auto slash = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = rest.substr(0, slash);
    const auto target = rest.substr(slash);
    if (!is_target(target)) return std::nullopt;

    HttpsUrl url;
    const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == std::string_view::npos) return std::nullopt;
    const auto colon = authority.find(':', bracket);
    const auto host = authority.substr(0, colon);
    if (host.size() > k_host_bytes_max || (!is_name(host) && !is_bracketed(host))) {
        return std::nullopt;
    }
    if (colon != std::string_view::npos) {
        const auto port = parse_port(authority.substr(colon + 1));
        if (!port) return std::nullopt;
        url.port_ = *port;
    }
    url.text_ = text;
    url.host_ = host;
    url.authority_ = authority;
    url.target_ = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view k_digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.append({'%', k_digits[byte >> 4U], k_digits[byte & 15U]});
    }
    return out;
}

}  // namespace postern::codec::http
