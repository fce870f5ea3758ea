#pragma once

#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/tls_context.h"
#include "platform/net/trial_authority.h"

#include <optional>
#include <string_view>

namespace postern::net {

/// What a server offers in a trial. Of the first two our connections take each, of the others none.
enum class TlsOffer {
    tls_1_3,
    tls_1_2,
    in_clear,  ///< speaks, and no TLS
    tls_1_1,
    other_authority,  ///< a certificate of an authority that is not trusted
    other_name,       ///< a certificate for another host
    expired,
};
[[nodiscard]] std::string_view name_of(TlsOffer offer);

enum class TlsClient {
    pinned,    ///< as a connection to a server whose authority somebody named
    ordinary,  ///< as every other one: the trial's authority is put beside those of the system, as
               ///< far as this process can read them
};
[[nodiscard]] std::string_view name_of(TlsClient client);

/// A client of a trial, and the one thing that a planted fault makes it overlook.
struct TriedClient {
    TlsClient as = TlsClient::pinned;
    std::optional<TlsOffer> overlooks;
};

struct TriedListener {
    bool takes_old_clients = false;  ///< a planted fault
};

/// What our connections insist on, found out by trying: connections in memory between a server of
/// the trial's and what every Connector does with a socket once it is connected, and between a
/// client of the trial's and our listener's side. Takes a few milliseconds.
///
/// Executor: the caller's. Lifetime: outlives its coroutines.
class TlsTrial {
public:
    TlsTrial();
    virtual ~TlsTrial() = default;
    TlsTrial(const TlsTrial&) = delete;
    TlsTrial& operator=(const TlsTrial&) = delete;

    /// Whether the client goes on to speak: under TLS, but for what is offered in clear.
    /// Errors: invalid_certificate_file, cancelled, where it cannot be found out.
    virtual async::Task<bool> accepts(TriedClient client, TlsOffer offer) const;
    /// Whether our listener's side takes a client that speaks at most TLS 1.1 (`old_client`), or at
    /// least TLS 1.2.
    virtual async::Task<bool> listener_accepts(TriedListener listener, bool old_client) const;

private:
    struct Trust;
    [[nodiscard]] Result<Trust> trust_of(TriedClient client, TlsOffer offer) const;

    TrialAuthority trusted_;
    TrialAuthority other_;
    /// Reading the system's authorities takes longer than all handshakes together.
    Result<TlsContext> ordinary_;
};

}  // namespace postern::net
