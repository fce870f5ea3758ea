#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/store/transaction.h"

#include <utility>
#include <vector>

namespace postern::identity {

using Mine = Authorized<Permission::see_own_sign_in>;

async::Task<std::vector<WorkspaceId>> Identity::workspaces_of(PersonId person) {
    const auto load = [person](store::Transaction& tx) {
        return rows::list_memberships(tx, person);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<WorkspaceId> out;
    for (const auto& membership : *found)
        out.push_back(membership.workspace);
    co_return out;
}

async::Task<std::vector<Session>> Identity::sessions(Mine who) {
    const auto actor = who.actor();
    const auto load = [person = *actor.person](store::Transaction& tx) {
        return rows::list_sessions(tx, person);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    const auto now = parts_.clock.now_ms();
    std::vector<Session> out;
    for (const auto& row : *found) {
        if (is_over(row, now)) continue;
        auto client = co_await open_client(&parts_.keeper, &row);
        if (!client) co_return fail(std::move(client.error()));
        out.push_back({row.id, row.created_at_ms, row.seen_at_ms, row.expires_at_ms,
                       std::move(*client), row.token_hash == actor.proof});
    }
    co_return out;
}

async::Task<> Identity::end_session(Mine who, SessionId id) {
    const auto actor = who.actor();
    const auto body = [person = *actor.person, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto ended, rows::delete_session(tx, person, id));
        if (ended == 0) return fail(IdentityError::session_not_found);
        return {};
    };
    auto chains = co_await workspaces_of(*actor.person);
    if (!chains) co_return fail(std::move(chains.error()));
    audit::Act act{by(actor), "session.ended", {}};
    act.about = {{"session_id", id.text()}};
    auto ended = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (ended) note_ending();
    co_return ended;
}

async::Task<> Identity::end_other_sessions(Mine who) {
    const auto actor = who.actor();
    const auto body = [person = *actor.person, proof = actor.proof](store::Transaction& tx) {
        return rows::delete_other_sessions(tx, person, proof);
    };
    auto chains = co_await workspaces_of(*actor.person);
    if (!chains) co_return fail(std::move(chains.error()));
    audit::Act act{by(actor), "session.others_ended", {}};
    auto ended = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (ended) note_ending();
    co_return ended;
}

}  // namespace postern::identity
