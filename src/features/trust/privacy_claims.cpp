#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/ports.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <utility>
#include <vector>

namespace postern::trust {
namespace {

/// `planted`: the thread is everybody's.
async::Task<Finding> private_threads(Privacy* privacy, bool planted) {
    auto looks = co_await privacy->look(!planted);
    if (!looks) co_return fail(std::move(looks.error()));
    // What its own person does not find either shows nothing by being missed.
    if (looks->empty()) co_return fail(TrustError::out_of_sight);
    Finding finding;
    bool all_seen = true;
    for (const auto& look : *looks) {
        if (!look.by_its_person) co_return fail(TrustError::out_of_sight);
        add(finding, !look.by_a_colleague, look.where + ": not there for a colleague",
            look.where + ": seen by a colleague");
        add(finding, !look.by_nobodys_token, look.where + ": not there for the host's token",
            look.where + ": seen by a token of nobody's");
        all_seen = all_seen && look.by_a_colleague && look.by_nobodys_token;
    }
    if (planted && !all_seen) finding.faults.clear();
    co_return finding;
}

}  // namespace

std::vector<Claim> privacy_claims(const Grounds& grounds) {
    auto* privacy = &grounds.privacy;
    Claim claim;
    claim.id = "P7.private-threads";
    claim.text =
        "A private thread is there for its people alone, whoever else works in the workspace.";
    claim.method =
        "a thread of nobody's with a mail and a held one, private to one person, is looked for by "
        "each statement that finds and lists them, for that person, a colleague and a token that "
        "nobody made; not tried: events and creators, which stand under the same condition, and "
        "whoever holds the store and its keys";
    claim.planted = "the same thread without its privacy: each look has to find it";
    claim.cost = "one transaction that is rolled back";
    claim.check = [privacy] { return private_threads(privacy, false); };
    claim.control = [privacy] { return private_threads(privacy, true); };
    return {std::move(claim)};
}

}  // namespace postern::trust
