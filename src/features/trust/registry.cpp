#include "features/trust/registry.h"

#include "features/trust/claim.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

std::string because(std::string_view what, const Error& error) {
    std::string reason(what);
    reason.append(": ").append(error.text());
    if (!error.detail().empty()) reason.append(" (").append(error.detail()).append(")");
    return reason;
}

/// Proving is over when this goes, also when its coroutine is cancelled.
class Under {
public:
    explicit Under(bool& flag) : flag_(flag) { flag_ = true; }
    ~Under() { flag_ = false; }
    Under(const Under&) = delete;
    Under& operator=(const Under&) = delete;

private:
    bool& flag_;
};

}  // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::proven: return "proven";
        case Verdict::failing: return "failing";
        case Verdict::unknown: return "unknown";
    }
    return "unknown";
}

Registry::Registry(std::vector<Claim> claims,
                   const Clock& clock,
                   std::chrono::milliseconds second_look)
    : claims_(std::move(claims)), clock_(clock), second_look_(second_look) {
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        POSTERN_CHECK(!claims_[i].id.empty() && claims_[i].check);
        for (std::size_t j = 0; j < i; ++j)
            POSTERN_CHECK(claims_[i].id != claims_[j].id);
    }
}

async::Task<Proof> Registry::prove(std::string id) {
    const auto claim = std::find_if(claims_.begin(), claims_.end(),
                                    [&id](const Claim& each) { return each.id == id; });
    if (claim == claims_.end()) co_return fail(TrustError::unknown_claim);
    if (proving_) co_return fail(TrustError::already_proving);
    const Under proving(proving_);
    const auto begun = std::chrono::steady_clock::now();
    auto proof = co_await look(&*claim);
    if (!proof) co_return proof;
    const auto took = std::chrono::steady_clock::now() - begun;
    proof->id = claim->id;
    proof->at_ms = clock_.now_ms();
    proof->took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    co_return proof;
}

async::Task<Proof> Registry::look(const Claim* claim) {
    Proof proof;
    if (!claim->control) {
        proof.reason = "the check has no positive control";
        co_return proof;
    }
    auto controlled = co_await claim->control();
    if (!controlled) {
        proof.reason = because("the positive control did not run", controlled.error());
        co_return proof;
    }
    if (controlled->faults.empty()) {
        proof.reason = "the check does not find the fault that its positive control plants";
        co_return proof;
    }
    auto found = co_await claim->check();
    if (found && !found->faults.empty()) {
        const auto waited = co_await async::wait_until(Deadline::in(second_look_));
        if (!waited) co_return fail(waited.error());
        found = co_await claim->check();
    }
    if (!found) {
        proof.reason = because("the check did not run", found.error());
        co_return proof;
    }
    proof.verdict = found->faults.empty() ? Verdict::proven : Verdict::failing;
    proof.finding = std::move(*found);
    co_return proof;
}

}  // namespace postern::trust
