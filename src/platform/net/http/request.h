#pragma once

#include "foundation/base/bytes.h"
#include "platform/net/http/headers.h"
#include "platform/net/ip_address.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net::http {

/// Who asks, as far as trusted proxies can tell.
struct Peer {
    IpAddress address;
    bool is_loopback = false;
};

/// One request that passed the server's strict checks. Owned by the handler.
struct Request {
    std::string method;  ///< as sent: methods are case-sensitive
    std::string target;  ///< "/path?query", visible ASCII, percent escapes still in it
    Headers headers;
    WipedBytes body;
    Peer peer;
    bool secure = false;   ///< TLS here or, says a trusted proxy, there
    std::string host;      ///< with port where one was given; of the proxy's client if trusted
    std::uint64_t id = 0;  ///< names this request in logs and error bodies

    [[nodiscard]] std::string_view path() const noexcept {
        return std::string_view(target).substr(0, target.find('?'));
    }
    /// Without the question mark.
    [[nodiscard]] std::string_view query() const noexcept {
        const auto mark = target.find('?');
        return mark == std::string::npos ? std::string_view{}
                                         : std::string_view(target).substr(mark + 1);
    }
};

/// "req_0123456789abcdef"
[[nodiscard]] std::string request_id_text(std::uint64_t id);

}  // namespace postern::net::http
