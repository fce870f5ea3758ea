#pragma once

#include "foundation/base/clock.h"
#include "foundation/codec/dns/message.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postern::net {

struct NameServer {
    IpAddress address;
    std::uint16_t port = 53;

    bool operator==(const NameServer&) const = default;
};

/// At most three of resolv.conf's text; loopback where it names none (resolv.conf(5)).
[[nodiscard]] std::vector<NameServer> name_servers_of(std::string_view resolv_conf);
/// Of /etc/resolv.conf. Reads a file: before the process is fenced.
[[nodiscard]] std::vector<NameServer> system_name_servers();

/// Asks the operator's name servers for records that getaddrinfo() does not give. They are the
/// operator's choice, so that the egress policy has no say in them; what they answer is foreign.
///
/// Executor: all calls from the executor's own thread.
class DnsClient {
public:
    struct Options {
        std::vector<NameServer> servers;
        std::chrono::milliseconds patience{2000};  ///< with one server, each time
        unsigned rounds = 2;                       ///< how often each is asked
    };
    explicit DnsClient(Options options) : options_(std::move(options)) {}

    /// An answer without records is an answer. Errors: NetError::resolver_failed, timed_out,
    /// AsyncError::cancelled.
    async::Task<dns::Answer> ask(dns::Question question, Deadline deadline);

private:
    async::Task<dns::Answer> ask_one(NameServer server, dns::Question question, Deadline deadline);

    Options options_;
};

}  // namespace postern::net
