#pragma once

#include "foundation/base/result.h"
#include "platform/net/tls_context.h"
#include "platform/net/trial_authority.h"

#include <string_view>

namespace postern::net {

/// What a server offers in a trial handshake. Of the first two our connections take each, of the
/// others none.
enum class TlsOffer {
    tls_1_3,
    tls_1_2,
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
    careless,  ///< takes what it is offered: shows that a handshake could have succeeded
};
[[nodiscard]] std::string_view name_of(TlsClient client);

/// Handshakes in memory between a client and a server of this process: what our connections insist
/// on, found out by trying. Takes a few milliseconds.
class TlsTrial {
public:
    TlsTrial();
    /// Whether the client goes on to speak. Errors: tls_failed, invalid_certificate_file, where it
    /// cannot be found out.
    [[nodiscard]] Result<bool> accepts(TlsClient client, TlsOffer offer) const;
    /// Whether a server set up as our listener takes a client that speaks at most TLS 1.1
    /// (`old_client`), or at least TLS 1.2.
    [[nodiscard]] Result<bool> listener_accepts(bool old_client) const;

private:
    TrialAuthority trusted_;
    TrialAuthority other_;
    /// Reading the system's authorities takes longer than all handshakes together.
    Result<TlsContext> ordinary_;
};

}  // namespace postern::net
