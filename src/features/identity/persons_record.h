#pragma once

#include "features/identity/identity.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/store/database.h"

#include <utility>

namespace postern::identity {

/// The body's change, and the record of it wherever the person works. Lifetime: identity and log
/// outlive the call. Errors: those of audit::AuditLog::record.
template <store::Body F>
async::Task<store::BodyValue<F>> record_of_person(
    Identity* identity, audit::AuditLog* log, PersonId person, audit::Act act, F body) {
    auto chains = co_await identity->workspaces_of(person);
    if (!chains) co_return fail(std::move(chains.error()));
    if (chains->empty()) chains->push_back(k_installation);
    co_return co_await log->record(std::move(*chains), std::move(act), std::move(body));
}

}  // namespace postern::identity
