#pragma once

#include "platform/net/ip_address.h"

#include <string_view>
#include <vector>

namespace postern::net {

/// Where this server may connect to: the public internet, and what the operator named. It judges
/// addresses, never names; the caller connects to the very address that was judged.
struct EgressPolicy {
    std::vector<Cidr> allow_private;

    [[nodiscard]] bool permits(const IpAddress& address) const;
};

/// True for addresses that any host on the internet may be reached at. IPv6 forms that carry an
/// IPv4 address (mapped, NAT64, 6to4) are as public as what they carry.
[[nodiscard]] bool is_public(const IpAddress& address);

/// True for a host name of letters, digits, hyphens, underscores and dots that cannot be taken for
/// a number: "127.1", "0x7f.1" and "2130706433" are neither names nor addresses here.
[[nodiscard]] bool is_host_name(std::string_view text);

}  // namespace postern::net
