#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/tls_trial.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::trust {
namespace {

using net::TlsClient;
using net::TlsOffer;

constexpr TlsOffer k_refused[] = {TlsOffer::tls_1_1, TlsOffer::other_authority,
                                  TlsOffer::other_name, TlsOffer::expired};

/// "TLS 1.3, by a client as for ordinary mailboxes".
std::string told(TlsClient client, TlsOffer offer) {
    std::string text(name_of(offer));
    return text.append(", by ").append(name_of(client));
}

Result<> try_offers(const net::TlsTrial& trial, TlsClient client, Finding& finding) {
    for (const auto offer : {TlsOffer::tls_1_3, TlsOffer::tls_1_2}) {
        POSTERN_TRY(const bool accepted, trial.accepts(client, offer));
        const auto what = told(client, offer);
        if (accepted) finding.evidence.push_back("taken: " + what);
        if (!accepted) finding.faults.push_back("a good server is refused: " + what);
    }
    for (const auto offer : k_refused) {
        POSTERN_TRY(const bool accepted, trial.accepts(client, offer));
        const auto what = told(client, offer);
        if (!accepted) finding.evidence.push_back("refused: " + what);
        if (accepted) finding.faults.push_back("taken: " + what);
    }
    return {};
}

Result<> try_listener(const net::TlsTrial& trial, Finding& finding) {
    POSTERN_TRY(const bool modern, trial.listener_accepts(false));
    POSTERN_TRY(const bool old, trial.listener_accepts(true));
    if (!modern) finding.faults.emplace_back("our listener refuses TLS 1.2 and 1.3");
    if (old) finding.faults.emplace_back("our listener takes TLS 1.1");
    if (modern && !old) finding.evidence.emplace_back("our listener refuses a client of TLS 1.1");
    return {};
}

async::Task<Finding> look(std::vector<TlsClient> clients) {
    const net::TlsTrial trial;
    Finding finding;
    for (const auto client : clients) {
        if (auto tried = try_offers(trial, client, finding); !tried) co_return fail(tried.error());
    }
    if (auto tried = try_listener(trial, finding); !tried) co_return fail(tried.error());
    co_return finding;
}

}  // namespace

std::vector<Claim> wire_claims() {
    Claim wire;
    wire.id = "P3.wire";
    wire.text =
        "Every connection to a provider is TLS 1.2 or newer with a certificate that is trusted, "
        "in time and for that host; nothing turns this off.";
    wire.method =
        "handshakes in memory between a listener and two clients, set up as all of ours are (one "
        "as "
        "for ordinary mailboxes, one that trusts a named authority alone), and servers and clients "
        "that offer less; which authorities the host's own list names is not judged";
    wire.planted = "a client that takes what it is offered";
    wire.cost = "some 25 handshakes, no network";
    wire.check = [] { return look({TlsClient::pinned, TlsClient::ordinary}); };
    wire.control = [] { return look({TlsClient::careless}); };
    return {wire};
}

}  // namespace postern::trust
