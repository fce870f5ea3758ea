#pragma once

#include "foundation/base/bytes.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"
#include "platform/net/net_error.h"
#include "platform/net/socket_bio.h"
#include "platform/net/tls_context.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/types.h>
#include <memory>
#include <span>
#include <string>

namespace postern::net {

/// A connected socket, in clear or under TLS: what client streams and server sessions share.
/// Internal to platform/net. The try_ functions never wait; where they cannot go on, `want` says
/// for what ready() has to wait.
///
/// Executor: all calls from the executor's own thread. Reading and writing may overlap.
class Transport {
public:
    enum class Want { nothing, readable, writable };
    using Socket = boost::asio::ip::tcp::socket;

    explicit Transport(Socket socket);
    /// Of a trial: every line of this is as over a socket, but for whom it waits for.
    Transport(const boost::asio::any_io_executor& executor, std::shared_ptr<Exchange> exchange);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// 0 is the orderly end. Errors: truncated, closed_by_peer, tls_failed.
    Result<std::size_t> try_read(std::span<std::uint8_t> into, Want& want);
    /// May take a part only. `more` follows `data` in the same call where that is possible.
    Result<std::size_t> try_write(ByteView data, ByteView more, Want& want);
    async::Task<> ready(Want want);
    async::Task<std::size_t> read_some(std::span<std::uint8_t> into);
    /// Lifetime: the caller keeps `data` until this resumes.
    async::Task<> write_all(ByteView data, ByteView more = {});

    /// `name` is what the certificate must be for: a host name or an IP address.
    async::Task<> handshake_as_client(TlsContext context, std::string name);
    async::Task<> handshake_as_server(TlsContext context);

    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
    [[nodiscard]] SSL* tls() const noexcept { return tls_.get(); }
    [[nodiscard]] const Wire& wire() const noexcept { return wire_; }
    /// Something lies in the socket that was not read yet.
    [[nodiscard]] bool has_unread() const;

    /// Whatever waits ends with AsyncError::cancelled.
    void cancel();
    /// Says good-bye as far as that needs no waiting, and closes.
    void close() noexcept;
    /// Ends our direction only, after all that was written.
    void finish_writing() noexcept;

private:
    struct SslDelete {
        void operator()(SSL* tls) const noexcept;
    };

    [[nodiscard]] bool is_open() const noexcept {
        return wire_.descriptor >= 0 || wire_.exchange != nullptr;
    }
    void begin_tls(const TlsContext& context);
    async::Task<> handshake();
    Result<std::size_t> tls_outcome(int returned, Want& want);
    Error certificate_or_tls_error() const;

    Socket socket_;
    Wire wire_;
    std::unique_ptr<SSL, SslDelete> tls_;
    bool secured_ = false;  ///< the handshake is done; OpenSSL forgets that after an error
};

/// The server's certificate must be for `name`, a host name or an IP address, and the handshake
/// says which one is wanted. Errors: invalid_host.
[[nodiscard]] Result<> expect_server(SSL* tls, std::string name);

[[nodiscard]] IpAddress to_address(const boost::asio::ip::address& address);
[[nodiscard]] boost::asio::ip::address to_asio(const IpAddress& address);

}  // namespace postern::net
