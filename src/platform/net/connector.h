#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/net/egress.h"
#include "platform/net/stream.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postern::net {

class PinnedContexts;
class Resolver;

enum class TlsMode { none, implicit };

struct Destination {
    std::string host;  ///< name or address, as the user wrote it
    std::uint16_t port = 0;
    TlsMode tls = TlsMode::implicit;
    TlsOptions tls_options;
};

/// What every connection does once its socket is connected: nothing, or the handshake that has to
/// succeed before anything is said. Errors: those of Stream::start_tls.
async::Task<std::unique_ptr<Stream>> begin_stream(Stream::Parts parts,
                                                  TlsMode tls,
                                                  TlsOptions options,
                                                  Deadline deadline);

/// The only way out of this server: resolves, asks the egress policy about every address, connects
/// to an address that passed (never to a name again) and checks the certificate.
class Connector {
public:
    /// Lifetime: the resolver outlives the connector. `system_trust` is TlsContext::client().
    Connector(Resolver& resolver, EgressPolicy policy, TlsContext system_trust);

    /// Tries the permitted addresses in turn. Errors: NetError, AsyncError::cancelled.
    async::Task<std::unique_ptr<Stream>> connect(Destination to, Deadline deadline);

    /// Whether connect() may go there; connects to nothing. Errors: NetError, cancelled.
    async::Task<> judge(std::string host, Deadline deadline);

private:
    async::Task<std::vector<IpAddress>> permitted_addresses(std::string host, Deadline deadline);

    Resolver& resolver_;
    EgressPolicy policy_;
    TlsContext system_trust_;
    std::shared_ptr<PinnedContexts> pinned_;
};

}  // namespace postern::net
