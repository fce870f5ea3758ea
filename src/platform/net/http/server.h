#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/net/http/forwarded.h"
#include "platform/net/http/limits.h"
#include "platform/net/http/request.h"
#include "platform/net/http/response.h"
#include "platform/net/ip_address.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net::http {

/// Answers one request. What it throws is logged with the request's id and answered 500.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
/// Tried before Handler, for answers that need no waiting; nothing means "not mine".
using FastHandler = std::function<std::optional<Response>(const Request&)>;
/// How large a body this method and path may have. Asked before the body is read.
using BodyLimit = std::function<std::uint64_t(std::string_view method, std::string_view path)>;
/// Makes the answer that the server itself gives: the status is set after it; `code` is a stable
/// word such as "malformed_request"; `incident` is what stands in the log.
using ErrorAnswer =
    std::function<Response(int status, std::string_view code, const std::string& incident)>;

/// Handlers may be coroutine lambdas with captures: they live as long as the server.
struct Handlers {
    Handler handle;
    FastHandler fast;          ///< optional
    BodyLimit body_limit;      ///< optional: Limits::body_bytes_max
    ErrorAnswer error_answer;  ///< optional: plain text
};

struct TlsFiles {
    std::string certificate;  ///< PEM, the whole chain
    std::string key;          ///< PEM
};

struct Listen {
    IpAddress address;
    /// 0: the system picks one; later entries with 0 get the same port.
    std::uint16_t port = 0;
    bool tls = false;
    /// Left out without an error where the machine has no such address (::1 without IPv6).
    bool optional = false;
};

struct ServerOptions {
    std::vector<Listen> listen;
    std::optional<TlsFiles> tls;
    TrustedProxies proxies;
    Limits limits;
};

struct ServerStats {
    std::uint64_t connections_open = 0;
    std::uint64_t connections_total = 0;
    std::uint64_t connections_refused = 0;
    std::uint64_t requests_total = 0;
    std::uint64_t requests_malformed = 0;
};

struct ServerCore;

/// HTTP/1.1 over TCP and TLS. Strict: what could be read in two ways is answered 400 and ends the
/// connection. start(), then stop() and wait for it before it is destroyed.
///
/// Executor: all calls, and all handlers, on the executor's own single thread.
class Server {
public:
    Server(boost::asio::any_io_executor executor, ServerOptions options, Handlers handlers);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds all addresses or none. Errors: NetError::address_in_use, address_unavailable,
    /// invalid_certificate_file.
    Result<> start();
    /// What it listens on, with real ports.
    [[nodiscard]] const std::vector<Listen>& listening() const noexcept;
    /// New connections use the new files; on an error the old ones stay.
    Result<> reload_tls(const TlsFiles& files);
    /// Accepts no more, ends idle connections and streams, lets requests finish until the deadline.
    async::Task<> stop(Deadline deadline);

    [[nodiscard]] ServerStats stats() const noexcept;

private:
    std::shared_ptr<ServerCore> core_;
};

}  // namespace postern::net::http
