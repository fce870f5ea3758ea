#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/anchors.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/logged_anchors.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

/// What second places show, and what they do not.
std::string said_of_places(const audit::Anchors::Comparison& compared,
                           const audit::LoggedAnchors& logged) {
    constexpr const char* k_unseen =
        "records taken off the end, and a whole store that was set "
        "back, are not seen";
    if (compared.is_set) {
        return std::to_string(compared.lines) +
               " anchors at the second place: the records are as far as each says";
    }
    if (!logged.is_set()) return std::string("no second place is set: ") + k_unseen;
    const auto at_ms = logged.all_said_at_ms();
    const auto when = at_ms == 0 ? std::string("not since the start") : "last at " + rfc3339(at_ms);
    return "anchors are sent to a log server (" + when +
           "), which acknowledges none, and whose lines this server cannot read: here " + k_unseen +
           "; `postern audit verify --anchors FILE` sees them with the lines fetched from there";
}

async::Task<Finding> look(audit::AuditLog* log,
                          audit::Anchors* anchors,
                          const audit::LoggedAnchors* logged) {
    auto chains = co_await log->chains();
    if (!chains) co_return fail(std::move(chains.error()));
    Finding finding;
    std::int64_t records = 0;
    for (const auto& workspace : *chains) {
        auto verified = co_await log->verify(workspace);
        if (!verified) co_return fail(std::move(verified.error()));
        records += verified->records;
        if (!verified->broken_at) continue;
        finding.faults.push_back("record " + std::to_string(*verified->broken_at) + " of " +
                                 workspace.text() + ": " + verified->fault);
    }
    auto compared = co_await anchors->compare();
    if (!compared) co_return fail(std::move(compared.error()));
    for (auto& fault : compared->faults)
        finding.faults.push_back("second place: " + fault);
    if (finding.faults.empty()) {
        finding.evidence.push_back(std::to_string(records) + " records in " +
                                   std::to_string(chains->size()) +
                                   " chains: each as it was written, and none missing between");
        finding.evidence.push_back(said_of_places(*compared, *logged));
    }
    co_return finding;
}

/// Every change of a chain that was made up has to be seen, or seeing none means nothing.
async::Task<Finding> look_at_changed(audit::AuditLog* log, audit::Anchors* anchors) {
    auto trial = co_await log->try_changes();
    if (!trial) co_return fail(std::move(trial.error()));
    auto anchored = co_await anchors->try_changes();
    if (!anchored) co_return fail(std::move(anchored.error()));
    Finding finding;
    const std::array both{&*trial, &*anchored};
    for (const auto* one : both) {
        if (!one->is_whole || !one->unseen.empty()) co_return Finding{};
        for (const auto& change : one->seen)
            finding.faults.push_back("seen: " + change);
    }
    co_return finding;
}

}  // namespace

std::vector<Claim> audit_claims(const Grounds& grounds) {
    Claim whole;
    whole.id = "P7.audited";
    whole.text =
        "The record of who did what is as it was written: no record was changed, moved or "
        "taken out of it.";
    whole.method =
        "every record of every workspace is gone through from the first to the last: its number "
        "follows the one before, and keeper knows its MAC, which covers the record and the MAC "
        "before; every anchor in the file at the second place is keeper's, and the record it names "
        "is there; what a log server keeps cannot be read from here";
    whole.planted =
        "a chain and anchors made up in memory, changed in each way that somebody with the store, "
        "or with the second place, could: each has to be seen";
    whole.cost = "reads the whole record";
    whole.check = [log = &grounds.audit, anchors = &grounds.anchors,
                   logged = &grounds.logged_anchors] { return look(log, anchors, logged); };
    whole.control = [log = &grounds.audit, anchors = &grounds.anchors] {
        return look_at_changed(log, anchors);
    };
    return {whole};
}

}  // namespace postern::trust
