#include "features/trust/canary.h"
#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <memory>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

/// The claim about several holders. Lifetime: held by its closures.
class Holders {
public:
    explicit Holders(ipc::Link& keeper) : canary_(keeper) {}

    /// `leaves`: whether the first of the two does.
    async::Task<Finding> leaving(bool leaves);

private:
    async::Task<> prepare();
    async::Task<Finding> judge_before();
    async::Task<Finding> judge_after(Finding finding);

    Canary canary_;
};

async::Task<> Holders::prepare() {
    auto sealed = co_await canary_.seal();
    if (!sealed) co_return sealed;
    co_return co_await canary_.add_holder();
}

async::Task<Finding> Holders::judge_before() {
    const auto first = co_await canary_.opens(Canary::Key::right);
    if (!first) co_return fail(first.error());
    const auto second = co_await canary_.opens(Canary::Key::second);
    if (!second) co_return fail(second.error());
    Finding finding;
    add(finding, *first && *second, "a fresh credential with two holders: each opened it",
        "a holder of a fresh credential does not open it");
    co_return finding;
}

async::Task<Finding> Holders::judge_after(Finding finding) {
    const auto first = co_await canary_.opens(Canary::Key::right);
    if (!first) co_return fail(first.error());
    const auto before = co_await canary_.opens_as_before();
    if (!before) co_return fail(before.error());
    const auto second = co_await canary_.opens(Canary::Key::second);
    if (!second) co_return fail(second.error());
    add(finding, !*first, "after a new epoch the one who left is refused",
        "the secret of a holder who left opens the credential");
    add(finding, !*before, "also with the seal of before",
        "the seal of before opens with the secret of a holder who left");
    add(finding, *second, "the one who stayed opens it with the secret they had",
        "the holder who stayed does not open the credential any more");
    co_return finding;
}

/// A canary cut off at the end, as the others leave it.
async::Task<Finding> Holders::leaving(bool leaves) {
    auto prepared = co_await prepare();
    if (!prepared) co_return fail(std::move(prepared.error()));
    Finding before;
    if (leaves) {
        auto judged = co_await judge_before();
        if (!judged) co_return judged;
        before = std::move(*judged);
        auto left = co_await canary_.first_leaves();
        if (!left) co_return fail(std::move(left.error()));
    }
    auto finding = co_await judge_after(std::move(before));
    auto ended = co_await canary_.cut_off();
    if (!ended) co_return fail(std::move(ended.error()));
    co_return finding;
}

/// Both tries of the one who was to be refused have to be seen.
async::Task<Finding> holder_control(std::shared_ptr<Holders> holders) {
    auto finding = co_await holders->leaving(false);
    if (finding && finding->faults.size() < 2) finding->faults.clear();
    co_return finding;
}

}  // namespace

std::vector<Claim> holder_claims(const Grounds& grounds) {
    const auto holders = std::make_shared<Holders>(grounds.keeper);
    Claim claim;
    claim.id = "P2.holder-left";
    claim.text =
        "An integration can have several holders, each with a secret of their own; the secret of "
        "one who leaves opens nothing from then on, and those who stay keep theirs.";
    claim.method =
        "a credential of nobody's is sealed in the real keyring for two holders; one leaves, and "
        "their secret is tried with the new seal and with the one of before, then the other's";
    claim.planted = "a holder who is said to have left, and did not";
    claim.cost = "some ten Argon2 computations";
    claim.check = [holders] { return holders->leaving(true); };
    claim.control = [holders] { return holder_control(holders); };
    return {claim};
}

}  // namespace postern::trust
