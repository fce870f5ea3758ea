#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/tls_trial.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using net::TlsClient;
using net::TlsOffer;

constexpr TlsClient k_clients[] = {TlsClient::pinned, TlsClient::ordinary};
constexpr TlsOffer k_taken[] = {TlsOffer::tls_1_3, TlsOffer::tls_1_2};
constexpr TlsOffer k_refused[] = {TlsOffer::in_clear, TlsOffer::tls_1_1, TlsOffer::other_authority,
                                  TlsOffer::other_name, TlsOffer::expired};

using Trial = std::shared_ptr<const net::TlsTrial>;

/// "TLS 1.3, by a client as for ordinary mailboxes".
std::string told(TlsClient client, TlsOffer offer) {
    std::string text(name_of(offer));
    return text.append(", by ").append(name_of(client));
}

async::Task<> try_offers(Trial trial, TlsClient client, Finding* finding) {
    for (const auto offer : k_taken) {
        const auto accepted = co_await trial->accepts({client, {}}, offer);
        if (!accepted) co_return fail(accepted.error());
        const auto what = told(client, offer);
        if (*accepted) finding->evidence.push_back("taken: " + what);
        if (!*accepted) finding->faults.push_back("a good server is refused: " + what);
    }
    for (const auto offer : k_refused) {
        const auto accepted = co_await trial->accepts({client, {}}, offer);
        if (!accepted) co_return fail(accepted.error());
        const auto what = told(client, offer);
        if (!*accepted) finding->evidence.push_back("refused: " + what);
        if (*accepted) finding->faults.push_back("taken: " + what);
    }
    co_return Result<>{};
}

async::Task<> try_listener(Trial trial, Finding* finding) {
    const auto modern = co_await trial->listener_accepts({}, false);
    if (!modern) co_return fail(modern.error());
    const auto old = co_await trial->listener_accepts({}, true);
    if (!old) co_return fail(old.error());
    if (!*modern) finding->faults.emplace_back("our listener refuses TLS 1.2 and 1.3");
    if (*old) finding->faults.emplace_back("our listener takes TLS 1.1");
    if (*modern && !*old)
        finding->evidence.emplace_back("our listener refuses a client of TLS 1.1");
    co_return Result<>{};
}

async::Task<Finding> look(Trial trial) {
    Finding finding;
    for (const auto client : k_clients) {
        auto trying = try_offers(trial, client, &finding);
        const auto tried = co_await std::move(trying);
        if (!tried) co_return fail(tried.error());
    }
    auto trying = try_listener(trial, &finding);
    const auto tried = co_await std::move(trying);
    if (!tried) co_return fail(tried.error());
    co_return finding;
}

/// For each offer a client that overlooks what is wrong with it, and a listener that does: one that
/// is refused nevertheless spoils it, since its refusal by ours would show nothing.
async::Task<Finding> look_at_careless(Trial trial) {
    Finding finding;
    for (const auto client : k_clients) {
        for (const auto offer : k_refused) {
            const auto accepted = co_await trial->accepts({client, offer}, offer);
            if (!accepted) co_return fail(accepted.error());
            if (!*accepted) co_return Finding{};
            finding.faults.push_back("taken by a careless one: " + told(client, offer));
        }
    }
    const auto old = co_await trial->listener_accepts({.takes_old_clients = true}, true);
    if (!old) co_return fail(old.error());
    if (!*old) co_return Finding{};
    finding.faults.emplace_back("a careless listener takes TLS 1.1");
    co_return finding;
}

}  // namespace

std::vector<Claim> wire_claims(const Grounds& grounds) {
    Claim wire;
    wire.id = "P3.wire";
    wire.text =
        "A connection to a provider speaks under TLS 1.2 or newer alone, once the certificate is "
        "trusted, in time and for that host; what our own listener speaks under TLS is no older.";
    wire.method =
        "what every such connection does behind its connected socket is done in memory, as for "
        "ordinary mailboxes and as for a named authority, with servers that offer enough and "
        "others that offer less each in one thing, and what our listener does with clients; not "
        "tried: which authorities the host's list names, and that a mailbox set to STARTTLS is "
        "not signed in to before it";
    wire.planted =
        "for each thing that a server may lack a client that overlooks it, and a listener that "
        "takes old clients: each has to be seen";
    wire.cost = "some 30 handshakes, no network";
    wire.check = [make = grounds.trial] { return look(make()); };
    wire.control = [make = grounds.trial] { return look_at_careless(make()); };
    return {wire};
}

}  // namespace postern::trust
