#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/seals.h"

#include <string>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

async::Task<Finding> rotated(ipc::Link* keeper, bool planted) {
    keys::CountWraps ask{planted};
    auto counts = co_await keeper->call(ask, keeper_deadline());
    if (!counts) co_return fail(std::move(counts.error()));
    const auto all = std::to_string(counts->wraps);
    Finding finding;
    add(finding, counts->orphaned == 0, all + " wraps in the keyring: each is under a key in force",
        std::to_string(counts->orphaned) + " of " + all +
            " wraps in the keyring are under a key that has ended");
    if (counts->rotating) {
        finding.evidence.push_back("a rotation is under way: " + std::to_string(counts->waiting) +
                                   " wraps are still under the keys before, which are destroyed "
                                   "after the last of them");
    } else {
        add(finding, counts->waiting == 0 && counts->old_keys == 0,
            "no rotation is under way, and no key of before one is left",
            std::to_string(counts->old_keys) + " keys of before a rotation are left, with " +
                std::to_string(counts->waiting) + " wraps under them, and none is under way");
    }
    finding.evidence.emplace_back(
        "not covered: names and settings that were sealed before a rotation, and search tokens, "
        "whose keys a rotation keeps");
    co_return finding;
}

}  // namespace

std::vector<Claim> keyring_claims(const Grounds& grounds) {
    auto* keeper = &grounds.keeper;
    Claim claim;
    claim.id = "P7.rotated";
    claim.text =
        "Once the keys were rotated, nothing that a rotation covers is under a key of before, and "
        "those keys are destroyed; a rotation that is under way is said to be.";
    claim.method =
        "keeper counts the wraps in the real keyring by the key that each is under, and the keys "
        "that are there, in one transaction";
    claim.planted = "a wrap of nobody's under a generation that has ended";
    claim.cost = "one count over the keyring";
    claim.check = [keeper] { return rotated(keeper, false); };
    claim.control = [keeper] { return rotated(keeper, true); };
    return {claim};
}

}  // namespace postern::trust
