#pragma once

#include "platform/net/http/headers.h"
#include "platform/net/ip_address.h"

#include <string>
#include <vector>

namespace postern::net::http {

/// Which header the operator's proxies write. Only one is believed: a proxy passes the other on as
/// its client sent it.
enum class ForwardedStyle { x_forwarded, forwarded };

struct TrustedProxies {
    std::vector<Cidr> blocks;
    ForwardedStyle style = ForwardedStyle::x_forwarded;
};

/// Where a request really came from.
struct Origin {
    IpAddress address;
    bool secure = false;
    std::string host;
};

/// What the connection shows, unless it comes from a trusted proxy: then the rightmost address that
/// is not one, with the scheme and host that its proxy saw. What cannot be read is not believed.
[[nodiscard]] Origin resolve_origin(const TrustedProxies& proxies,
                                    const IpAddress& connected,
                                    bool is_tls,
                                    const Headers& headers);

}  // namespace postern::net::http
