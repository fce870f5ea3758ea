#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/codec/dns/message.h"
#include "platform/async/task.h"

#include <string>

namespace postern::mail::courier {

/// What discovery asks of the network.
class NameLookups {
public:
    virtual ~NameLookups() = default;
    /// An answer without records is an answer. Errors: net::NetError, AsyncError::cancelled.
    virtual async::Task<dns::Answer> ask(dns::Question question, Deadline deadline) = 0;
    /// Whether courier may connect to this host. Errors: net::NetError::refused_private_address
    /// when it may not; others when that is not known.
    virtual async::Task<> judge(std::string host, Deadline deadline) = 0;
};

/// The servers that a domain names in DNS. Connects to none of them. Lifetime: `lookups` outlives
/// the call. Errors: not_found for what is no domain name, AsyncError::cancelled.
async::Task<DiscoverServers::Answer> discover_servers(NameLookups* lookups, std::string domain);

}  // namespace postern::mail::courier
