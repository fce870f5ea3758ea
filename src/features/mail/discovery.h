#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"
#include "foundation/codec/mail/address.h"
#include "platform/async/task.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::ipc {
class Link;
}

namespace postern::mail {

enum class DiscoverySource {
    preset,  ///< the address is one of a known provider
    srv,     ///< the domain names its servers in DNS
    mx,      ///< the domain's mail exchanger belongs to a known provider
    none,    ///< to be entered by hand
};
[[nodiscard]] std::string_view name_of(DiscoverySource source);

/// What a person must know or decide; texts are for them, codes are stable.
enum class DiscoveryNotice {
    outside_domain,  ///< confirm: RFC 6186 section 6
    private_address,
    service_declined,
    dns_unreachable,
    oauth_required,
    bridge_required,
};
constexpr ErrorInfo describe(DiscoveryNotice notice) {
    switch (notice) {
        case DiscoveryNotice::outside_domain:
            return {"outside_domain",
                    "DNS names a server outside the address's own domain, and DNS can be forged. "
                    "Enter the password only if you know that this is where the mail is."};
        case DiscoveryNotice::private_address:
            return {"private_address",
                    "DNS names a server in a private or special range, which this installation "
                    "does not connect to."};
        case DiscoveryNotice::service_declined:
            return {"service_declined", "The domain says that it does not offer this service."};
        case DiscoveryNotice::dns_unreachable:
            return {"dns_unreachable",
                    "Not everything could be looked up in DNS at the moment; try again, or enter "
                    "the servers by hand."};
        case DiscoveryNotice::oauth_required:
            return {"oauth_required",
                    "This provider takes no passwords; it wants OAuth, which this version does not "
                    "have for it."};
        case DiscoveryNotice::bridge_required:
            return {"bridge_required",
                    "This provider's mail is reached through its own program only."};
    }
    return {"dns_unreachable", "Not everything could be looked up."};
}

struct FoundNotice {
    DiscoveryNotice notice = DiscoveryNotice::dns_unreachable;
    std::string host;  ///< empty where it is about none
};

/// How a mailbox may be connected; nothing was connected to yet.
struct Discovered {
    DiscoverySource source = DiscoverySource::none;
    const Provider* provider = nullptr;
    std::optional<MailHost> imap;
    std::optional<MailHost> smtp;
    std::vector<FoundNotice> notices;

    /// A password is to be entered only after a person has agreed to the servers.
    [[nodiscard]] bool needs_confirmation() const;
    /// Whether this version can connect it with what it found.
    [[nodiscard]] bool is_connectable() const;
};

/// What a preset or DNS's answers make of it. Pure.
[[nodiscard]] Discovered discovered_from(const codec::EmailAddress& address,
                                         const DiscoverServers::Answer& told);
/// A preset, else what courier finds in DNS, which hears of the domain only. Lifetime: the link
/// outlives the call.
async::Task<Discovered> discover(ipc::Link* courier, codec::EmailAddress address);

}  // namespace postern::mail
