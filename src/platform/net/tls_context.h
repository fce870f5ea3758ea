#pragma once

#include "foundation/base/result.h"

#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace postern::net {

/// What one kind of TLS connection agrees to: TLS 1.2 or newer, no renegotiation, no compression,
/// no resumption. Cheap to copy; connections keep the one they began with.
class TlsContext {
public:
    /// Trusts the system's authorities, which are read now: later the process may have no files.
    [[nodiscard]] static Result<TlsContext> client();
    /// Trusts these certificates only: authorities, or the server's own.
    [[nodiscard]] static Result<TlsContext> client_pinned(std::string_view ca_pem);
    /// A client with that one's trusted certificates, which are shared, and settings of its own.
    [[nodiscard]] static TlsContext client_trusting_like(const TlsContext& other);
    /// A client that trusts like this one and shows a certificate of its own: chain and key as
    /// PEM. Errors: invalid_certificate_file.
    [[nodiscard]] Result<TlsContext> showing(std::string_view chain_pem,
                                             std::string_view key_pem) const;
    /// Chain and key from PEM files; speaks HTTP/1.1 only (ALPN).
    [[nodiscard]] static Result<TlsContext> server(const std::string& certificate_file,
                                                   const std::string& key_file);
    /// The same from memory: one certificate and its key, of a TrialAuthority.
    [[nodiscard]] static Result<TlsContext> server_from_pem(std::string_view certificate_pem,
                                                            std::string_view key_pem);

    [[nodiscard]] ssl_ctx_st* native() const noexcept { return context_.get(); }

private:
    explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

    std::shared_ptr<ssl_ctx_st> context_;
};

/// Largest PEM that client_pinned() reads, and the most certificates in it.
inline constexpr std::size_t k_pinned_pem_bytes_max = 65536;
inline constexpr std::size_t k_pinned_certificates_max = 16;

}  // namespace postern::net
