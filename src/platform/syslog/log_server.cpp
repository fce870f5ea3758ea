#include "platform/syslog/log_server.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/net/connector.h"
#include "platform/net/net_error.h"
#include "platform/net/stream.h"
#include "platform/net/tls_context.h"
#include "platform/syslog/syslog_message.h"
#include "platform/syslog/syslog_protocol.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::syslog {
namespace {

constexpr std::chrono::hours k_look_again{24};

class Busy {
public:
    explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
    ~Busy() { flag_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    bool& flag_;
};

std::int64_t any_number() {
    constexpr std::size_t k_bytes = 6;
    std::int64_t number = 1;
    for (const auto byte : crypto::random_bytes(k_bytes))
        number = number << 8 | byte;
    return number;
}

Result<net::TlsContext> context_of(const net::TlsContext& system_trust,
                                   const LogServer::Options& options) {
    auto context = net::TlsContext::client_trusting_like(system_trust);
    if (!options.ca_pem.empty()) {
        POSTERN_TRY(context, net::TlsContext::client_pinned(options.ca_pem));
    }
    if (options.certificate_pem.empty()) return context;
    return options.key_pem.with_bytes(
        [&](ByteView key) { return context.showing(options.certificate_pem, as_text(key)); });
}

std::optional<Bytes> frames_of(const std::string& host_name, const SendSyslog& asked) {
    if (asked.messages.size() > k_messages_max) return std::nullopt;
    Bytes frames;
    for (const auto& message : asked.messages) {
        const auto frame = frame_of(host_name, message);
        if (!frame) return std::nullopt;
        frames.insert(frames.end(), frame->begin(), frame->end());
    }
    return frames;
}

}  // namespace

LogServer::LogServer(net::Connector& connector,
                     async::TaskGroup& group,
                     const net::TlsContext& system_trust,
                     Options options)
    : connector_(connector),
      group_(group),
      options_(std::move(options)),
      tls_(context_of(system_trust, options_)),
      number_(any_number()) {}

LogServer::~LogServer() {
    drop();
}

/// A log server says nothing: whatever comes ends the connection.
async::Job LogServer::watch(std::shared_ptr<Connection> connection) {
    std::array<std::uint8_t, 64> bytes{};
    while (true) {
        auto reading = connection->stream->read_some(bytes, Deadline::in(k_look_again));
        const auto got = co_await std::move(reading);
        if (!got && got.error().is(net::NetError::timed_out)) continue;
        if (!connection->is_over && !connection->settled.passed()) {
            connection->refusal = got ? Error(net::NetError::closed_by_peer) : got.error();
        }
        connection->is_over = true;
        co_return;
    }
}

void LogServer::drop() {
    if (!connection_) return;
    connection_->is_over = true;
    connection_->stream->close();
    connection_.reset();
}

async::Task<> LogServer::connect() {
    if (!tls_) co_return fail(tls_.error());
    net::Destination to;
    to.host = options_.host;
    to.port = options_.port;
    to.tls = net::TlsMode::implicit;
    to.tls_options.context = *tls_;
    auto connecting = connector_.connect(std::move(to), Deadline::in(options_.time));
    auto stream = co_await std::move(connecting);
    if (!stream) co_return fail(std::move(stream.error()));
    const auto settled = Deadline::in(options_.settled_after);
    connection_ =
        std::make_shared<Connection>(Connection{std::move(*stream), settled, false, std::nullopt});
    ++number_;
    group_.spawn("log_server", watch(connection_));
    log(LogLevel::info, "log_server_connected", {{"connection", number_}});
    co_return Result<>{};
}

async::Task<> LogServer::be_connected(bool anew) {
    if (connection_ && connection_->is_over) {
        const auto refusal = connection_->refusal;
        drop();
        if (refusal) co_return fail(*refusal);
    }
    if (anew) drop();
    if (connection_) co_return Result<>{};
    co_return co_await connect();
}

async::Task<> LogServer::write(Bytes frames) {
    const auto connection = connection_;
    const ByteView all(frames);
    auto writing = connection->stream->write_all(all, Deadline::in(options_.time));
    auto written = co_await std::move(writing);
    if (!written && connection_ == connection) drop();
    co_return written;
}

async::Task<SendSyslog::Answer> LogServer::send(SendSyslog asked) {
    if (is_busy_) co_return fail(ipc::IpcError::busy);
    auto frames = frames_of(options_.host_name, asked);
    if (!frames) co_return fail(ipc::IpcError::malformed);
    const Busy busy(is_busy_);
    auto connected = co_await be_connected(asked.anew);
    if (!connected) co_return fail(std::move(connected.error()));
    const auto number = number_;
    if (!frames->empty()) {
        auto written = co_await write(std::move(*frames));
        if (!written) co_return fail(std::move(written.error()));
    }
    co_return SendSyslog::Answer{number};
}

}  // namespace postern::syslog
