#include "platform/net/http/forwarded.h"

#include "platform/net/http/head_rules.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::net::http {
namespace {

/// One hop, as the proxy that added it saw its client.
struct Hop {
    std::string_view client;
    std::string_view scheme;
    std::string_view host;
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t'))
        text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t'))
        text.remove_suffix(1);
    return text;
}

/// Splits at separators, the rightmost piece first; at most k_proxies_max. Quotes are paired from
/// the right: what our own proxy added there stays whole, whatever a client left open before it.
std::vector<std::string_view> split(std::string_view text, char separator, bool has_quotes) {
    std::vector<std::string_view> pieces;
    bool quoted = false;
    std::size_t end = text.size();
    for (std::size_t at = text.size(); at-- > 0 && pieces.size() < k_proxies_max;) {
        if (has_quotes && text[at] == '"') quoted = !quoted;
        if (quoted || text[at] != separator) continue;
        pieces.push_back(trimmed(text.substr(at + 1, end - at - 1)));
        end = at;
    }
    if (pieces.size() < k_proxies_max) pieces.push_back(trimmed(text.substr(0, end)));
    return pieces;
}

std::string_view last_of(std::string_view list) {
    const auto comma = list.rfind(',');
    return trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
}

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        return text.substr(1, text.size() - 2);
    }
    return text;
}

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"
std::optional<IpAddress> client_address(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        return IpAddress::parse(text.substr(1, end - 1));
    }
    if (const auto plain = IpAddress::parse(text)) return plain->unmapped();
    return IpAddress::parse(text.substr(0, text.rfind(':')));
}

Hop parse_element(std::string_view element) {
    Hop hop;
    for (const auto pair : split(element, ';', true)) {
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        const auto name = pair.substr(0, equals);
        const auto value = unquoted(pair.substr(equals + 1));
        if (equal_ignoring_case(name, "for")) hop.client = value;
        if (equal_ignoring_case(name, "proto")) hop.scheme = value;
        if (equal_ignoring_case(name, "host")) hop.host = value;
    }
    return hop;
}

/// The nearest one first.
std::vector<Hop> hops_of(ForwardedStyle style, std::string_view list) {
    const bool is_element = style == ForwardedStyle::forwarded;
    std::vector<Hop> hops;
    for (const auto piece : split(list, ',', is_element)) {
        hops.push_back(is_element ? parse_element(piece)
                                  : Hop{.client = piece, .scheme = {}, .host = {}});
    }
    return hops;
}

void apply(Origin& origin, std::string_view scheme, std::string_view host) {
    if (!scheme.empty()) origin.secure = equal_ignoring_case(scheme, "https");
    if (is_host(host)) origin.host = host;
}

}  // namespace

Origin resolve_origin(const TrustedProxies& proxies,
                      const IpAddress& connected,
                      bool is_tls,
                      const Headers& headers) {
    Origin origin{.address = connected, .secure = is_tls, .host = {}};
    if (const auto host = headers.find("host")) origin.host = *host;
    if (proxies.blocks.empty() || !contains(proxies.blocks, connected)) return origin;

    const bool is_element = proxies.style == ForwardedStyle::forwarded;
    const auto list = headers.joined(is_element ? "forwarded" : "x-forwarded-for");
    const auto hops = hops_of(proxies.style, list);
    for (const auto& hop : hops) {
        const auto client = client_address(hop.client);
        if (!client) break;
        origin.address = *client;
        apply(origin, hop.scheme, hop.host);
        if (!contains(proxies.blocks, *client)) break;
    }
    if (!is_element) {
        const auto scheme = headers.joined("x-forwarded-proto");
        const auto host = headers.joined("x-forwarded-host");
        apply(origin, last_of(scheme), last_of(host));
    }
    return origin;
}

}  // namespace postern::net::http
