#pragma once

#include "features/mail/courier/mail_link.h"

namespace postern::net {
class Connector;
}

namespace postern::mail::courier {

/// Links over real sockets, under the installation's egress policy.
/// Lifetime: the connector outlives it.
class NetMailConnector final : public MailConnector {
public:
    explicit NetMailConnector(net::Connector& connector) : connector_(connector) {}
    async::Task<std::unique_ptr<MailLink>> connect(MailHost host,
                                                   std::string ca_pem,
                                                   Deadline deadline) override;

private:
    net::Connector& connector_;
};

}  // namespace postern::mail::courier
