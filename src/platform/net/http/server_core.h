#pragma once

#include "platform/async/signal.h"
#include "platform/async/task_group.h"
#include "platform/net/http/server.h"
#include "platform/net/tls_context.h"

#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <memory>

namespace postern::net::http {

class Session;

/// What the server and its sessions share. Internal to platform/net/http.
struct ServerCore {
    ServerCore(boost::asio::any_io_executor on, ServerOptions with, Handlers call);

    boost::asio::any_io_executor executor;
    ServerOptions options;
    Handlers handlers;
    std::optional<TlsContext> tls;
    std::vector<Listen> listening;
    std::list<boost::asio::ip::tcp::acceptor> acceptors;

    async::TaskGroup accepting;
    async::TaskGroup serving;
    async::Signal drained;  ///< the last of `live` ended
    std::list<Session*> sessions;
    std::size_t live = 0;  ///< sessions and running streams
    std::uint64_t bodies_bytes = 0;
    std::uint64_t next_request = 0;
    bool stopping = false;
    bool aborting = false;
    ServerStats stats;

    [[nodiscard]] std::uint64_t make_request_id();
};

/// Counts a coroutine that stop() has to wait for.
class Live {
public:
    explicit Live(std::shared_ptr<ServerCore> core);
    ~Live();
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;

private:
    std::shared_ptr<ServerCore> core_;
};

/// A session's place in the list that the sweep goes through.
class Listed {
public:
    Listed(ServerCore& core, Session& session);
    ~Listed();
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

private:
    ServerCore& core_;
    std::list<Session*>::iterator at_;
};

}  // namespace postern::net::http
