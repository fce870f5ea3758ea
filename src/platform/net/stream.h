#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"
#include "platform/net/tls_context.h"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace postern::net {

class Transport;

struct TlsOptions {
    std::optional<std::string> ca_pem;  ///< trust only these certificates, not the system's
    std::string server_name;            ///< what the certificate must be for; empty: the host
    std::optional<TlsContext> context = std::nullopt;  ///< decides whom to trust in their place
};

/// Who is at the other end.
struct PeerInfo {
    IpAddress address;
    std::uint16_t port = 0;
    std::string tls_version;  ///< "TLSv1.3"; empty in clear
    std::string cipher;
};

/// A connection to a provider's server, made by Connector. Bytes in, bytes out: the protocols are
/// state machines elsewhere. A read that runs into its deadline loses nothing and may be repeated;
/// after any other error the stream is only good for close().
///
/// Executor: all calls from the executor's own thread; one read and one write may overlap.
class Stream {
public:
    struct Parts;
    explicit Stream(Parts parts);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// At least one byte; 0 is the orderly end (under TLS only after close_notify).
    /// Errors: timed_out, truncated, closed_by_peer, tls_failed, AsyncError::cancelled.
    /// Lifetime: the caller keeps `into` until this resumes.
    async::Task<std::size_t> read_some(std::span<std::uint8_t> into, Deadline deadline);
    /// Lifetime: the caller keeps `data` until this resumes.
    async::Task<> write_all(ByteView data, Deadline deadline);
    /// Encrypts from here on (STARTTLS). `unread_bytes`: what the caller has read but not used; it
    /// and anything that lies in the socket was sent in clear by whoever sits in between, and is
    /// refused. Errors: plaintext_before_tls, certificate_..., tls_failed, timed_out.
    async::Task<> start_tls(TlsOptions options, std::size_t unread_bytes, Deadline deadline);

    /// Ends what waits at the moment with AsyncError::cancelled.
    void cancel();
    void close();

    [[nodiscard]] PeerInfo peer() const;
    [[nodiscard]] bool is_tls() const noexcept;
    /// On the wire, TLS records included.
    [[nodiscard]] std::uint64_t bytes_received() const noexcept;
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept;

private:
    std::unique_ptr<Parts> parts_;
};

}  // namespace postern::net
