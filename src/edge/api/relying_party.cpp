#include "edge/api/relying_party.h"

#include "edge/api/api_error.h"
#include "edge/api/services.h"
#include "features/identity/passkeys.h"
#include "foundation/base/result.h"
#include "platform/net/ip_address.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// "https://host[:port]" as a browser says it: in lower case, without the scheme's own port.
std::string origin_of(std::string_view scheme, std::string_view host, std::string_view port) {
    auto origin = std::string(scheme) + "://" + std::string(host);
    const bool is_usual = port.empty() || port == (scheme == "https" ? "443" : "80");
    return is_usual ? origin : origin.append(":").append(port);
}

/// All that this machine's browser may call us by, whichever of our ports has TLS.
identity::RelyingParty local_party(const Site& site) {
    identity::RelyingParty party{"localhost", {}};
    for (const auto port : site.ports) {
        for (const auto* scheme : {"http", "https"})
            party.origins.push_back(origin_of(scheme, party.id, std::to_string(port)));
    }
    return party;
}

}  // namespace

Result<identity::RelyingParty> relying_party_of(const Site& site) {
    std::string url(site.public_url);
    std::ranges::transform(url, url.begin(), lower);
    const auto mark = url.find("://");
    if (mark == std::string::npos) return local_party(site);
    const auto scheme = std::string_view(url).substr(0, mark);
    auto host = std::string_view(url).substr(mark + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (host.starts_with('[')) return fail(ApiError::passkeys_not_possible);
    const auto colon = host.find(':');
    const auto port = colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
    host = host.substr(0, colon);
    if (net::IpAddress::parse(host)) return fail(ApiError::passkeys_not_possible);
    return identity::RelyingParty{std::string(host), {origin_of(scheme, host, port)}};
}

}  // namespace postern::api
