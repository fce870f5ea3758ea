#include "platform/net/http/server.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/http/response_writer.h"
#include "platform/net/http/server_core.h"
#include "platform/net/http/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/random.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace postern::net::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr int k_backlog = 1024;
constexpr int k_port_attempts = 16;
constexpr std::chrono::milliseconds k_accept_pause{100};
constexpr std::chrono::milliseconds k_abort_patience{5'000};

NetError listen_error(const boost::system::error_code& error) {
    return error == asio::error::address_in_use ? NetError::address_in_use
                                                : NetError::address_unavailable;
}

bool is_absent(const boost::system::error_code& error) {
    return error == boost::system::errc::address_not_available ||
           error == boost::system::errc::address_family_not_supported;
}

boost::system::error_code open_acceptor(tcp::acceptor& acceptor, const Listen& at) {
    const tcp::endpoint endpoint(to_asio(at.address), at.port);
    boost::system::error_code error;
    const auto step = [&error](auto&& call) {
        if (!error) call();
    };
    step([&] { acceptor.open(endpoint.protocol(), error); });
    step([&] { acceptor.set_option(asio::socket_base::reuse_address(true), error); });
    if (!at.address.is_v4()) {
        step([&] { acceptor.set_option(asio::ip::v6_only(true), error); });
    }
    step([&] { acceptor.bind(endpoint, error); });
    step([&] { acceptor.listen(k_backlog, error); });
    return error;
}

/// One attempt at all addresses. On an error nothing listens.
boost::system::error_code open_all(ServerCore& core) {
    core.acceptors.clear();
    core.listening.clear();
    std::uint16_t picked = 0;
    for (Listen at : core.options.listen) {
        const bool any_port = at.port == 0;
        if (any_port) at.port = picked;
        auto& acceptor = core.acceptors.emplace_back(core.executor);
        const auto error = open_acceptor(acceptor, at);
        if (error) core.acceptors.pop_back();
        if (error && at.optional && is_absent(error)) continue;
        if (error) {
            core.acceptors.clear();
            core.listening.clear();
            return error;
        }
        at.port = acceptor.local_endpoint().port();
        if (any_port) picked = at.port;
        core.listening.push_back(at);
    }
    return {};
}

/// True when an idle connection was ended for a new one.
bool make_place(const ServerCore& core) {
    Session* oldest = nullptr;
    for (Session* session : core.sessions) {
        if (session->phase() != Session::Phase::idle) continue;
        if (oldest == nullptr || session->until() < oldest->until()) oldest = session;
    }
    if (oldest == nullptr) return false;
    oldest->wind_up();
    return true;
}

void turn_away(ServerCore& core, tcp::socket socket, bool tls) {
    ++core.stats.connections_refused;
    if (tls) return;
    WipedBytes out;
    const auto response = error_answer(core, k_busy, core.make_request_id());
    append_head(out, response, {.keep_alive = false, .body_size = response.body.size()});
    out.append(response.body);
    Transport transport(std::move(socket));
    auto want = Transport::Want::nothing;
    [[maybe_unused]] const auto best_effort =
        transport.try_write({out.data(), out.size()}, {}, want);
}

void admit(const std::shared_ptr<ServerCore>& core, tcp::socket socket, bool tls) {
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    ++core->stats.connections_total;
    const bool full = core->sessions.size() >= core->options.limits.connections_max;
    if (full && !make_place(*core)) {
        turn_away(*core, std::move(socket), tls);
        return;
    }
    socket.set_option(tcp::no_delay(true), error);
    const auto session =
        std::make_shared<Session>(core, std::move(socket), to_address(peer.address()));
    core->serving.spawn("http_session", Session::run(session, tls ? core->tls : std::nullopt));
}

async::Job accept_all(std::shared_ptr<ServerCore> core, tcp::acceptor* acceptor, bool tls) {
    bool failing = false;
    while (!core->stopping) {
        auto [error, socket] = co_await acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted || core->stopping) co_return;
        if (!error) {
            failing = false;
            admit(core, std::move(socket), tls);
            continue;
        }
        // Out of descriptors, most likely: one line for the whole time, and no busy loop.
        if (!failing) {
            log(LogLevel::warning, "accept_failed", {LogField::sanitised("what", error.message())});
        }
        failing = true;
        const auto waited = co_await async::wait_until(Deadline::in(k_accept_pause));
        if (!waited) co_return;
    }
}

async::Job sweep(std::shared_ptr<ServerCore> core) {
    while (true) {
        const auto waited = co_await async::wait_until(Deadline::in(core->options.limits.tick));
        if (!waited) co_return;
        const auto now = Deadline::SteadyClock::now();
        for (Session* session : core->sessions)
            session->expire_if_late(now);
    }
}

void close_acceptors(ServerCore& core) {
    for (auto& acceptor : core.acceptors) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
    }
}

}  // namespace

ServerCore::ServerCore(asio::any_io_executor on, ServerOptions with, Handlers call)
    : executor(std::move(on)),
      options(std::move(with)),
      handlers(std::move(call)),
      accepting(executor),
      serving(executor),
      drained(executor) {
    POSTERN_CHECK(getrandom(&next_request, sizeof(next_request), 0) == sizeof(next_request));
}

std::uint64_t ServerCore::make_request_id() {
    // splitmix64: every id once, in an order that nobody needs to guess.
    std::uint64_t z = (next_request += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

Live::Live(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {
    ++core_->live;
}
Live::~Live() {
    if (--core_->live == 0) core_->drained.set();
}

Listed::Listed(ServerCore& core, Session& session)
    : core_(core), at_(core.sessions.insert(core.sessions.end(), &session)) {}
Listed::~Listed() {
    core_.sessions.erase(at_);
}

Server::Server(asio::any_io_executor executor, ServerOptions options, Handlers handlers)
    : core_(std::make_shared<ServerCore>(
          std::move(executor), std::move(options), std::move(handlers))) {}

Server::~Server() {
    core_->stopping = core_->aborting = true;
    close_acceptors(*core_);
    core_->accepting.cancel();
    core_->serving.cancel();
}

Result<> Server::start() {
    if (const auto& tls = core_->options.tls) {
        const auto loaded = reload_tls(*tls);
        if (!loaded) return loaded;
    }
    for (const auto& at : core_->options.listen) {
        if (at.tls && !core_->tls) return fail(NetError::invalid_certificate_file, "none given");
    }
    boost::system::error_code error;
    // The port that the system picked for one address may be taken at the next.
    const bool picks = std::any_of(core_->options.listen.begin(), core_->options.listen.end(),
                                   [](const Listen& at) { return at.port == 0; });
    for (int attempt = 0; attempt < (picks ? k_port_attempts : 1); ++attempt) {
        error = open_all(*core_);
        if (error != asio::error::address_in_use) break;
    }
    if (error) return fail(listen_error(error), error.message());
    auto listening = core_->listening.begin();
    for (auto& acceptor : core_->acceptors) {
        core_->accepting.spawn("http_accept", accept_all(core_, &acceptor, listening->tls));
        ++listening;
    }
    core_->accepting.spawn("http_sweep", sweep(core_));
    return {};
}

const std::vector<Listen>& Server::listening() const noexcept {
    return core_->listening;
}

Result<> Server::reload_tls(const TlsFiles& files) {
    POSTERN_TRY(auto context, TlsContext::server(files.certificate, files.key));
    core_->tls = std::move(context);
    return {};
}

async::Task<> Server::stop(Deadline deadline) {
    const auto core = core_;
    core->stopping = true;
    close_acceptors(*core);
    core->accepting.cancel();
    co_await core->accepting.join();
    const std::vector<Session*> winding_up(core->sessions.begin(), core->sessions.end());
    for (Session* session : winding_up)
        session->wind_up();
    while (core->live > 0 && !deadline.passed()) {
        const auto waited = co_await core->drained.wait(deadline);
        if (!waited) break;
    }
    if (core->live == 0) co_return Result<>{};
    core->aborting = true;
    for (Session* session : core->sessions)
        session->end_stream();
    core->serving.cancel();
    const auto patience = Deadline::in(k_abort_patience);
    while (core->live > 0 && !patience.passed()) {
        const auto waited = co_await core->drained.wait(patience);
        if (!waited) break;
    }
    co_return Result<>{};
}

ServerStats Server::stats() const noexcept {
    auto stats = core_->stats;
    stats.connections_open = core_->sessions.size();
    return stats;
}

}  // namespace postern::net::http
