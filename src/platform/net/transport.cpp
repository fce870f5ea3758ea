#include "platform/net/transport.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace postern::net {

namespace asio = boost::asio;

namespace {

bool is_would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

NetError wire_error(int code) {
    if (code == ETIMEDOUT) return NetError::timed_out;
    if (code == EHOSTUNREACH || code == ENETUNREACH) return NetError::unreachable;
    return NetError::closed_by_peer;
}

int bounded(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

std::string tls_reason() {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    return reason == nullptr ? "" : reason;
}

}  // namespace

void Transport::SslDelete::operator()(SSL* tls) const noexcept {
    SSL_free(tls);
}

Transport::Transport(Socket socket) : socket_(std::move(socket)) {
    wire_.descriptor = socket_.native_handle();
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
}

Transport::Transport(const asio::any_io_executor& executor, std::shared_ptr<Exchange> exchange)
    : socket_(executor) {
    wire_.exchange = std::move(exchange);
}

Transport::~Transport() {
    close();
}

Result<std::size_t> Transport::try_read(std::span<std::uint8_t> into, Want& want) {
    want = Want::nothing;
    if (!is_open()) return fail(NetError::closed_by_peer);
    if (tls_) {
        ERR_clear_error();
        return tls_outcome(SSL_read(tls_.get(), into.data(), bounded(into.size())), want);
    }
    const auto got = receive(wire_, into);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!is_would_block()) return fail(wire_error(errno));
    want = Want::readable;
    return 0;
}

Result<std::size_t> Transport::try_write(ByteView data, ByteView more, Want& want) {
    want = Want::nothing;
    if (data.empty()) std::swap(data, more);
    if (data.empty()) return 0;
    if (!is_open()) return fail(NetError::closed_by_peer);
    if (tls_) {
        ERR_clear_error();
        auto outcome = tls_outcome(SSL_write(tls_.get(), data.data(), bounded(data.size())), want);
        if (outcome && *outcome == 0 && want == Want::nothing)
            return fail(NetError::closed_by_peer);
        return outcome;
    }
    const auto put = send(wire_, data, more);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (!is_would_block()) return fail(wire_error(errno));
    want = Want::writable;
    return 0;
}

async::Task<> Transport::ready(Want want) {
    if (wire_.exchange) {
        if (!wire_.exchange->go_on()) co_return fail(NetError::timed_out);
        co_return Result<>{};
    }
    const auto type = want == Want::writable ? Socket::wait_write : Socket::wait_read;
    const auto [error] = co_await socket_.async_wait(type, asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(async::AsyncError::cancelled);
    co_return Result<>{};
}

async::Task<std::size_t> Transport::read_some(std::span<std::uint8_t> into) {
    if (!tls_ && !wire_.exchange) {
        // Cheaper than waiting and reading apart: one system call less for each request.
        const auto buffer = asio::buffer(into.data(), into.size());
        const auto [error, got] =
            co_await socket_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
        wire_.bytes_received += got;
        if (!error) co_return got;
        if (error == asio::error::eof) co_return std::size_t{0};
        if (error == asio::error::operation_aborted) co_return fail(async::AsyncError::cancelled);
        co_return fail(wire_error(error.value()));
    }
    while (true) {
        Want want = Want::nothing;
        auto got = try_read(into, want);
        if (!got || want == Want::nothing) co_return got;
        const auto waited = co_await ready(want);
        if (!waited) co_return fail(waited.error());
    }
}

async::Task<> Transport::write_all(ByteView data, ByteView more) {
    while (!data.empty() || !more.empty()) {
        Want want = Want::nothing;
        const auto put = try_write(data, more, want);
        if (!put) co_return fail(put.error());
        const auto of_data = std::min(*put, data.size());
        data = data.subspan(of_data);
        more = more.subspan(*put - of_data);
        if (want == Want::nothing) continue;
        const auto waited = co_await ready(want);
        if (!waited) co_return fail(waited.error());
    }
    co_return Result<>{};
}

Result<> expect_server(SSL* tls, std::string name) {
    X509_VERIFY_PARAM* verify = SSL_get0_param(tls);
    if (name.ends_with('.')) name.pop_back();
    if (IpAddress::parse(name)) {
        if (X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1) return {};
        return fail(NetError::invalid_host);
    }
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // An empty name would switch the check off.
    if (name.empty() || X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) != 1) {
        return fail(NetError::invalid_host);
    }
    SSL_set_tlsext_host_name(tls, name.c_str());
    return {};
}

void Transport::begin_tls(const TlsContext& context) {
    tls_.reset(SSL_new(context.native()));
    if (!tls_) throw std::bad_alloc();
    BIO* bio = make_socket_bio(wire_);
    SSL_set_bio(tls_.get(), bio, bio);
}

async::Task<> Transport::handshake_as_client(TlsContext context, std::string name) {
    begin_tls(context);
    if (auto expected = expect_server(tls_.get(), std::move(name)); !expected) {
        co_return fail(std::move(expected.error()));
    }
    SSL_set_connect_state(tls_.get());
    co_return co_await handshake();
}

async::Task<> Transport::handshake_as_server(TlsContext context) {
    begin_tls(context);
    SSL_set_accept_state(tls_.get());
    co_return co_await handshake();
}

async::Task<> Transport::handshake() {
    while (true) {
        Want want = Want::nothing;
        ERR_clear_error();
        const auto step = tls_outcome(SSL_do_handshake(tls_.get()), want);
        if (!step) {
            if (step.error().is(NetError::tls_failed)) co_return fail(certificate_or_tls_error());
            co_return fail(step.error());
        }
        if (want == Want::nothing && *step == 0) co_return fail(NetError::closed_by_peer);
        secured_ = want == Want::nothing;
        if (secured_) co_return Result<>{};
        const auto waited = co_await ready(want);
        if (!waited) co_return fail(waited.error());
    }
}

Result<std::size_t> Transport::tls_outcome(int returned, Want& want) {
    if (returned > 0) return static_cast<std::size_t>(returned);
    const int saved_errno = errno;
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ: want = Want::readable; return 0;
        case SSL_ERROR_WANT_WRITE: want = Want::writable; return 0;
        case SSL_ERROR_ZERO_RETURN: return 0;
        case SSL_ERROR_SYSCALL:
            if (!wire_.ended) return fail(wire_error(saved_errno));
            return fail(secured_ ? NetError::truncated : NetError::closed_by_peer);
        default: break;
    }
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return fail(secured_ ? NetError::truncated : NetError::closed_by_peer);
    }
    return fail(NetError::tls_failed, tls_reason());
}

Error Transport::certificate_or_tls_error() const {
    const long verdict = SSL_get_verify_result(tls_.get());
    switch (verdict) {
        case X509_V_OK: return {NetError::tls_failed, tls_reason()};
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return {NetError::certificate_wrong_name};
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID: return {NetError::certificate_expired};
        default: break;
    }
    return {NetError::certificate_untrusted, X509_verify_cert_error_string(verdict)};
}

bool Transport::has_unread() const {
    if (wire_.exchange) return wire_.exchange->has_unread();
    std::uint8_t byte = 0;
    return ::recv(wire_.descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Transport::cancel() {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void Transport::finish_writing() noexcept {
    if (!is_open()) return;
    if (tls_ && SSL_is_init_finished(tls_.get()) != 0) SSL_shutdown(tls_.get());
    ERR_clear_error();
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() noexcept {
    if (!is_open()) return;
    finish_writing();
    boost::system::error_code ignored;
    socket_.close(ignored);
    wire_.descriptor = -1;
    wire_.exchange.reset();
}

IpAddress to_address(const asio::ip::address& address) {
    if (address.is_v4()) return IpAddress::v4(address.to_v4().to_bytes());
    return IpAddress::v6(address.to_v6().to_bytes()).unmapped();
}

asio::ip::address to_asio(const IpAddress& address) {
    const auto bytes = address.bytes();
    if (address.is_v4()) {
        asio::ip::address_v4::bytes_type four{};
        std::copy(bytes.begin(), bytes.end(), four.begin());
        return asio::ip::address_v4(four);
    }
    asio::ip::address_v6::bytes_type sixteen{};
    std::copy(bytes.begin(), bytes.end(), sixteen.begin());
    return asio::ip::address_v6(sixteen);
}

}  // namespace postern::net
