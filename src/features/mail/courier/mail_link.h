#pragma once

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace postern::mail::courier {

/// One connection to a mail server as the sessions see it. Executor: all calls from its own thread.
class MailLink {
public:
    virtual ~MailLink() = default;
    /// 0 is the orderly end. A read that ends by its deadline or by interrupt() loses nothing.
    /// Lifetime: the caller keeps `into` until this resumes.
    virtual async::Task<std::size_t> read_some(std::span<std::uint8_t> into, Deadline deadline) = 0;
    virtual async::Task<> write_all(WipedBytes data, Deadline deadline) = 0;
    virtual async::Task<> start_tls(Deadline deadline) = 0;
    /// Ends what waits at the moment with AsyncError::cancelled.
    virtual void interrupt() = 0;
    /// The same, and nothing crosses the connection any more. May be called twice.
    virtual void close() = 0;
    /// "TLSv1.3"; empty in clear.
    [[nodiscard]] virtual std::string tls_version() const = 0;
};

/// Opens links; the only way out of courier.
class MailConnector {
public:
    virtual ~MailConnector() = default;
    /// `ca_pem`: trust only these certificates, also for a later start_tls(); empty: the system's.
    /// Errors: net::NetError, AsyncError.
    virtual async::Task<std::unique_ptr<MailLink>> connect(MailHost host,
                                                           std::string ca_pem,
                                                           Deadline deadline) = 0;
};

}  // namespace postern::mail::courier
