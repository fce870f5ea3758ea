#pragma once

#include "foundation/base/result.h"
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
    ours,      ///< set up as every outgoing connection is
    careless,  ///< takes what it is offered: shows that a handshake could have succeeded
};

/// Handshakes in memory between a client and a server of this process: what our connections insist
/// on, found out by trying. Takes a few milliseconds.
class TlsTrial {
public:
    /// Whether the client goes on to speak. Errors: tls_failed, where it cannot be found out.
    [[nodiscard]] Result<bool> accepts(TlsClient client, TlsOffer offer) const;
    /// Whether a server set up as our listener takes a client that speaks at most TLS 1.1
    /// (`old_client`), or at least TLS 1.2.
    [[nodiscard]] Result<bool> listener_accepts(bool old_client) const;

private:
    TrialAuthority trusted_;
    TrialAuthority other_;
};

}  // namespace postern::net
