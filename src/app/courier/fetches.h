#pragma once

#include "foundation/base/clock.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/ipc/link.h"
#include "platform/net/http_client/http_client.h"

#include <cstddef>

namespace postern::ipc {
class Router;
}

namespace postern::app::courier {

/// Serves what front has fetched over HTTPS. A client's secret comes from keeper, with the place
/// where it may be sent, and leaves for there alone.
///
/// Executor: courier's thread. Lifetime: outlives the router; connector and link outlive it.
class Fetches {
public:
    Fetches(net::Connector& connector, ipc::Link& keeper) : client_(connector), keeper_(keeper) {}

    void serve(ipc::Router& router);
    async::Task<fetch::FetchDocument::Answer> document(fetch::FetchDocument asked);
    async::Task<fetch::ExchangeCode::Answer> exchange(fetch::ExchangeCode asked);

private:
    static constexpr std::size_t k_at_once_max = 16;

    async::Task<net::HttpAnswer> ask(net::HttpAsk request);

    net::HttpClient client_;
    ipc::Link& keeper_;
    std::size_t under_way_ = 0;
};

}  // namespace postern::app::courier
