#pragma once

#include "features/identity/identity.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/database.h"

#include <string>
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

/// The same, and a letter to the person: "a passkey was added".
template <store::Body F>
async::Task<store::BodyValue<F>> record_and_tell(Identity* identity,
                                                 audit::AuditLog* log,
                                                 PersonId person,
                                                 audit::Act act,
                                                 std::string what,
                                                 F body) {
    auto letter = co_await identity->enclose_notice(person, std::move(what));
    if (!letter) co_return fail(std::move(letter.error()));
    auto both = [letter = std::move(*letter), body = std::move(body)](
                    store::Transaction& tx) mutable -> Result<store::BodyValue<F>> {
        auto done = body(tx);
        if (!done) return done;
        if (auto put = own_mail::OwnMail::put(tx, letter); !put) {
            return fail(std::move(put.error()));
        }
        return done;
    };
    co_return co_await record_of_person(identity, log, person, std::move(act), std::move(both));
}

}  // namespace postern::identity
