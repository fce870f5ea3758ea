#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/net/connector.h"
#include "platform/net/tls_context.h"
#include "platform/syslog/syslog_protocol.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace postern::syslog {

/// The operator's log server, as courier reaches it: one connection under TLS, which is kept.
///
/// Executor: the group's own thread. Lifetime: connector and group outlive it.
class LogServer {
public:
    struct Options {
        std::string host;
        std::uint16_t port = 0;
        std::string ca_pem;           ///< trust only these certificates; empty: the system's
        std::string certificate_pem;  ///< shown to the server; empty: none
        Secret key_pem;
        std::string host_name;  ///< under which messages are sent
        /// One that ends so soon after it was made has refused us: that is told.
        std::chrono::milliseconds settled_after = std::chrono::seconds(30);
        std::chrono::milliseconds time = std::chrono::seconds(15);  ///< for each step
    };
    LogServer(net::Connector& connector,
              async::TaskGroup& group,
              const net::TlsContext& system_trust,
              Options options);
    ~LogServer();
    LogServer(const LogServer&) = delete;
    LogServer& operator=(const LogServer&) = delete;

    /// See SendSyslog.
    async::Task<SendSyslog::Answer> send(SendSyslog asked);

private:
    struct Connection {
        std::unique_ptr<net::Stream> stream;
        Deadline settled;
        bool is_over = false;
        std::optional<Error> refusal;  ///< why it ended before it was settled
    };
    static async::Job watch(std::shared_ptr<Connection> connection);
    void drop();
    async::Task<> connect();
    async::Task<> be_connected(bool anew);
    async::Task<> write(Bytes frames);

    net::Connector& connector_;
    async::TaskGroup& group_;
    Options options_;
    Result<net::TlsContext> tls_;
    std::shared_ptr<Connection> connection_;
    std::int64_t number_;  ///< begins anywhere: no process repeats one of the process before
    bool is_busy_ = false;
};

}  // namespace postern::syslog
