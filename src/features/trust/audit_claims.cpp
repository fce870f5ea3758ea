#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::trust {
namespace {

async::Task<Finding> look(audit::AuditLog* log) {
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
    if (finding.faults.empty()) {
        finding.evidence.push_back(std::to_string(records) + " records in " +
                                   std::to_string(chains->size()) +
                                   " chains: each as it was written, and none missing between");
    }
    co_return finding;
}

/// Every change of a chain that was made up has to be seen, or seeing none means nothing.
async::Task<Finding> look_at_changed(audit::AuditLog* log) {
    auto trial = co_await log->try_changes();
    if (!trial) co_return fail(std::move(trial.error()));
    Finding finding;
    if (!trial->is_whole || !trial->unseen.empty()) co_return finding;
    for (auto& change : trial->seen)
        finding.faults.push_back("seen: " + change);
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
        "before; not seen: records taken off the end, and a whole store that was set back";
    whole.planted =
        "a chain made up in memory, changed in each way that somebody with the store "
        "could: each has to be seen";
    whole.cost = "reads the whole record";
    whole.check = [log = &grounds.audit] { return look(log); };
    whole.control = [log = &grounds.audit] { return look_at_changed(log); };
    return {whole};
}

}  // namespace postern::trust
