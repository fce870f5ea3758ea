#include "platform/net/stream.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/stream_parts.h"

#include <openssl/ssl.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace postern::net {
namespace {

constexpr std::size_t k_reads_at_once_max = 16;

/// A deadline that passes here is an answer about the peer.
template <typename T>
Result<T> as_timed_out(Result<T> result) {
    if (!result && result.error().is(async::AsyncError::deadline_passed)) {
        return fail(NetError::timed_out);
    }
    return result;
}

// The transport comes by value: it lives on although the stream may be gone when the wait ends.
async::Task<std::size_t> read_waiting(std::shared_ptr<Transport> transport,
                                      std::span<std::uint8_t> into) {
    while (true) {
        auto want = Transport::Want::nothing;
        auto got = transport->try_read(into, want);
        if (!got || want == Transport::Want::nothing) co_return got;
        const auto waited = co_await transport->ready(want);
        if (!waited) co_return fail(waited.error());
    }
}

async::Task<> write_waiting(std::shared_ptr<Transport> transport, ByteView data) {
    co_return co_await transport->write_all(data);
}

async::Task<> shake_hands(std::shared_ptr<Transport> transport,
                          TlsContext context,
                          std::string name) {
    auto running = transport->handshake_as_client(std::move(context), std::move(name));
    co_return co_await std::move(running);
}

}  // namespace

Stream::Stream(Parts parts) : parts_(std::make_unique<Parts>(std::move(parts))) {}

Stream::~Stream() {
    parts_->transport->close();
}

async::Task<std::size_t> Stream::read_some(std::span<std::uint8_t> into, Deadline deadline) {
    const auto transport = parts_->transport;
    // A peer that always has more would keep the thread, and be read past any deadline.
    if (deadline.passed()) co_return fail(NetError::timed_out);
    if (++parts_->reads_at_once % k_reads_at_once_max == 0) {
        const auto others_ran = co_await async::wait_until(Deadline::in(std::chrono::seconds(0)));
        if (!others_ran) co_return fail(others_ran.error());
    }
    auto want = Transport::Want::nothing;
    auto ready = transport->try_read(into, want);
    if (!ready || want == Transport::Want::nothing) co_return ready;
    auto work = read_waiting(transport, into);
    auto waiting = async::with_deadline(deadline, std::move(work));
    co_return as_timed_out(co_await std::move(waiting));
}

async::Task<> Stream::write_all(ByteView data, Deadline deadline) {
    const auto transport = parts_->transport;
    auto want = Transport::Want::nothing;
    const auto put = transport->try_write(data, {}, want);
    if (!put) co_return fail(put.error());
    if (*put == data.size()) co_return Result<>{};
    auto work = write_waiting(transport, data.subspan(*put));
    auto waiting = async::with_deadline(deadline, std::move(work));
    co_return as_timed_out(co_await std::move(waiting));
}

async::Task<> Stream::start_tls(TlsOptions options, std::size_t unread_bytes, Deadline deadline) {
    const auto transport = parts_->transport;
    if (transport->is_tls()) co_return fail(NetError::tls_failed, "already encrypted");
    if (unread_bytes != 0 || transport->has_unread()) {
        co_return fail(NetError::plaintext_before_tls);
    }
    TlsContext context = parts_->system_trust;
    if (options.context) {
        context = std::move(*options.context);
    } else if (options.ca_pem) {
        POSTERN_CO_TRY(context, parts_->pinned->get(*options.ca_pem));
    }
    auto name = options.server_name.empty() ? parts_->host : options.server_name;
    auto work = shake_hands(transport, std::move(context), std::move(name));
    auto waiting = async::with_deadline(deadline, std::move(work));
    co_return as_timed_out(co_await std::move(waiting));
}

void Stream::cancel() {
    parts_->transport->cancel();
}

void Stream::close() {
    parts_->transport->close();
}

PeerInfo Stream::peer() const {
    PeerInfo info{
        .address = parts_->address, .port = parts_->port, .tls_version = {}, .cipher = {}};
    if (const SSL* tls = parts_->transport->tls()) {
        info.tls_version = SSL_get_version(tls);
        info.cipher = SSL_get_cipher_name(tls);
    }
    return info;
}

bool Stream::is_tls() const noexcept {
    return parts_->transport->is_tls();
}
std::uint64_t Stream::bytes_received() const noexcept {
    return parts_->transport->wire().bytes_received;
}
std::uint64_t Stream::bytes_sent() const noexcept {
    return parts_->transport->wire().bytes_sent;
}

}  // namespace postern::net
