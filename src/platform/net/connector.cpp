#include "platform/net/connector.h"

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/pinned_contexts.h"
#include "platform/net/resolver.h"
#include "platform/net/stream_parts.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/tcp.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace postern::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

// A dead peer on an idle connection is noticed within about two minutes.
constexpr int k_keepalive_idle_s = 60;
constexpr int k_keepalive_interval_s = 15;
constexpr int k_keepalive_probes = 4;

using SharedSocket = std::shared_ptr<tcp::socket>;

NetError connect_error(const boost::system::error_code& error) {
    if (error == asio::error::connection_refused) return NetError::connection_refused;
    if (error == asio::error::timed_out) return NetError::timed_out;
    return NetError::unreachable;
}

void set_options(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set = [&](int name, int value) {
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof(value));
    };
    set(TCP_KEEPIDLE, k_keepalive_idle_s);
    set(TCP_KEEPINTVL, k_keepalive_interval_s);
    set(TCP_KEEPCNT, k_keepalive_probes);
}

async::Task<> connect_socket(SharedSocket socket, tcp::endpoint to) {
    const auto [error] = co_await socket->async_connect(to, asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return fail(async::AsyncError::cancelled);
    if (error) co_return fail(connect_error(error), error.message());
    boost::system::error_code lost;
    const auto remote = socket->remote_endpoint(lost);
    if (lost) co_return fail(NetError::closed_by_peer);
    if (remote != to) co_return fail(NetError::refused_private_address, "connected elsewhere");
    set_options(*socket);
    co_return Result<>{};
}

struct Connected {
    SharedSocket socket;
    IpAddress address;
};

/// The first that answers; each may use its share of the time that is left.
async::Task<Connected> connect_any(std::vector<IpAddress> addresses,
                                   std::uint16_t port,
                                   Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    Error last(NetError::unreachable);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto socket = std::make_shared<tcp::socket>(executor);
        const auto share = deadline.left() / static_cast<int>(addresses.size() - i);
        auto work = connect_socket(socket, tcp::endpoint(to_asio(addresses[i]), port));
        auto waiting = async::with_deadline(deadline.at_most(share), std::move(work));
        auto done = co_await std::move(waiting);
        if (done) co_return Connected{socket, addresses[i]};
        if (done.error().is(async::AsyncError::cancelled)) co_return fail(done.error());
        const bool late = done.error().is(async::AsyncError::deadline_passed);
        last = late ? Error(NetError::timed_out) : done.error();
    }
    co_return fail(std::move(last));
}

std::string without_brackets(std::string host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return host.substr(1, host.size() - 2);
    }
    return host;
}

}  // namespace

Connector::Connector(Resolver& resolver, EgressPolicy policy, TlsContext system_trust)
    : resolver_(resolver),
      policy_(std::move(policy)),
      system_trust_(std::move(system_trust)),
      pinned_(std::make_shared<PinnedContexts>()) {}

async::Task<std::vector<IpAddress>> Connector::permitted_addresses(std::string host,
                                                                   Deadline deadline) {
    std::vector<IpAddress> addresses;
    if (const auto literal = IpAddress::parse(host)) {
        addresses.push_back(literal->unmapped());
    } else if (is_host_name(host)) {
        auto looking = resolver_.resolve(std::move(host), deadline);
        auto found = co_await std::move(looking);
        if (!found) co_return fail(found.error());
        for (const auto& address : *found)
            addresses.push_back(address.unmapped());
    } else {
        co_return fail(NetError::invalid_host);
    }
    std::erase_if(addresses, [this](const IpAddress& one) { return !policy_.permits(one); });
    if (addresses.empty()) co_return fail(NetError::refused_private_address);
    co_return addresses;
}

async::Task<> Connector::judge(std::string host, Deadline deadline) {
    auto judging = permitted_addresses(std::move(host), deadline);
    const auto permitted = co_await std::move(judging);
    if (!permitted) co_return fail(permitted.error());
    co_return Result<>{};
}

async::Task<std::unique_ptr<Stream>> Connector::connect(Destination to, Deadline deadline) {
    std::string host = without_brackets(std::move(to.host));
    auto judging = permitted_addresses(host, deadline);
    auto addresses = co_await std::move(judging);
    if (!addresses) co_return fail(addresses.error());
    auto connecting = connect_any(std::move(*addresses), to.port, deadline);
    auto connected = co_await std::move(connecting);
    if (!connected) co_return fail(connected.error());

    auto transport = std::make_shared<Transport>(std::move(*connected->socket));
    Stream::Parts parts{.transport = std::move(transport),
                        .system_trust = system_trust_,
                        .pinned = pinned_,
                        .host = std::move(host),
                        .address = connected->address,
                        .port = to.port};
    auto beginning = begin_stream(std::move(parts), to.tls, std::move(to.tls_options), deadline);
    co_return co_await std::move(beginning);
}

async::Task<std::unique_ptr<Stream>> begin_stream(Stream::Parts parts,
                                                  TlsMode tls,
                                                  TlsOptions options,
                                                  Deadline deadline) {
    auto stream = std::make_unique<Stream>(std::move(parts));
    if (tls == TlsMode::implicit) {
        auto securing = stream->start_tls(std::move(options), 0, deadline);
        const auto secured = co_await std::move(securing);
        // Here it is no attack but a port that does not speak TLS.
        if (!secured && secured.error().is(NetError::plaintext_before_tls)) {
            co_return fail(NetError::tls_failed, "the server spoke first, in clear");
        }
        if (!secured) co_return fail(secured.error());
    }
    co_return stream;
}

}  // namespace postern::net
