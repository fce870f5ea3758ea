#pragma once

#include "platform/net/pinned_contexts.h"
#include "platform/net/stream.h"
#include "platform/net/transport.h"

#include <memory>
#include <string>

namespace postern::net {

/// What Connector hands to a new stream. Internal to platform/net.
struct Stream::Parts {
    std::shared_ptr<Transport> transport;
    TlsContext system_trust;
    std::shared_ptr<PinnedContexts> pinned;
    std::string host;
    IpAddress address;
    std::uint16_t port = 0;
    std::size_t reads_at_once = 0;  ///< without having waited
};

}  // namespace postern::net
