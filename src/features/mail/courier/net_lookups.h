#pragma once

#include "features/mail/courier/discovery.h"
#include "platform/net/connector.h"
#include "platform/net/dns/dns_client.h"

#include <string>

namespace postern::mail::courier {

/// Lifetime: the connector outlives it.
class NetLookups final : public NameLookups {
public:
    NetLookups(net::DnsClient client, net::Connector& connector)
        : client_(std::move(client)), connector_(connector) {}

    async::Task<dns::Answer> ask(dns::Question question, Deadline deadline) override {
        return client_.ask(std::move(question), deadline);
    }
    async::Task<> judge(std::string host, Deadline deadline) override {
        return connector_.judge(std::move(host), deadline);
    }

private:
    net::DnsClient client_;
    net::Connector& connector_;
};

}  // namespace postern::mail::courier
