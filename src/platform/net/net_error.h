#pragma once

#include "foundation/base/error.h"

namespace postern::net {

/// Why an outgoing connection or a listener could not be had, or ended.
enum class NetError {
    invalid_host,
    refused_private_address,
    name_not_found,
    resolver_failed,
    connection_refused,
    unreachable,
    timed_out,
    certificate_untrusted,
    certificate_wrong_name,
    certificate_expired,
    tls_failed,
    plaintext_before_tls,
    closed_by_peer,
    truncated,
    invalid_certificate_file,
    address_in_use,
    address_unavailable,
};

constexpr ErrorInfo describe(NetError error) {
    switch (error) {
        case NetError::invalid_host:
            return {"invalid_host", "This is not a host name or an IP address."};
        case NetError::refused_private_address:
            return {"refused_private_address",
                    "The host has a private or special address, which this server does not connect "
                    "to unless its operator allows it."};
        case NetError::name_not_found:
            return {"name_not_found", "There is no server of this name."};
        case NetError::resolver_failed:
            return {"resolver_failed", "The name could not be looked up at the moment."};
        case NetError::connection_refused:
            return {"connection_refused", "The server refused the connection at this port."};
        case NetError::unreachable: return {"unreachable", "The server cannot be reached."};
        case NetError::timed_out: return {"timed_out", "The server did not answer in time."};
        case NetError::certificate_untrusted:
            return {"certificate_untrusted",
                    "The server's certificate was not issued by a trusted authority."};
        case NetError::certificate_wrong_name:
            return {"certificate_wrong_name", "The server's certificate is for another name."};
        case NetError::certificate_expired:
            return {"certificate_expired",
                    "The server's certificate has expired or is not valid yet."};
        case NetError::tls_failed:
            return {"tls_failed", "No secure connection could be agreed with the server."};
        case NetError::plaintext_before_tls:
            return {"plaintext_before_tls",
                    "The server sent data in clear after it had agreed to encrypt."};
        case NetError::closed_by_peer:
            return {"closed_by_peer", "The server closed the connection."};
        case NetError::truncated:
            return {"truncated", "The connection was cut off before its proper end."};
        case NetError::invalid_certificate_file:
            return {"invalid_certificate_file",
                    "The certificate or its key cannot be read, or they do not belong together."};
        case NetError::address_in_use:
            return {"address_in_use", "Another program listens at this address already."};
        case NetError::address_unavailable:
            return {"address_unavailable", "This machine cannot listen at this address."};
    }
    return {"unreachable", "The server cannot be reached."};
}

}  // namespace postern::net
