#include "features/identity/identity.h"

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/provider_store.h"
#include "features/identity/stored_actor.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// When a session was last seen is told to the minute: a write for each request would say no more.
constexpr std::int64_t k_seen_grain_ms = 60'000;

struct SessionFacts {
    SessionRow session;
    std::vector<Membership> memberships;
    bool has_factor = false;
    bool is_managed = false;  ///< has no password
};

/// A session that came of a provider opens the provider's workspace and no other one: whoever runs
/// a provider speaks for people in their own workspace. Errors: unauthenticated, where it is gone.
Result<> keep_to_provider(store::Transaction& tx, SessionFacts& facts) {
    POSTERN_TRY(const auto provider, rows::find_provider(tx, *facts.session.provider));
    if (!provider || !provider->is_on) return fail(IdentityError::unauthenticated);
    std::erase_if(facts.memberships, [&](const Membership& membership) {
        return membership.workspace != provider->workspace;
    });
    POSTERN_TRY(const auto person, rows::find_person(tx, facts.session.person));
    facts.is_managed = person && person->managed_in;
    return {};
}

/// When that was shown which makes a session fresh: the strongest thing that the person has.
UnixMs shown_at(const SessionFacts& facts) {
    if (facts.has_factor) return facts.session.factor_at_ms;
    return facts.is_managed ? facts.session.provider_at_ms : facts.session.password_at_ms;
}

Result<SessionFacts> load_session(store::Transaction& tx, const crypto::Hash& hash, UnixMs now_ms) {
    POSTERN_TRY(const auto session, rows::find_session(tx, hash));
    if (!session || is_over(*session, now_ms)) return fail(IdentityError::unauthenticated);
    SessionFacts facts{*session, {}, false, false};
    POSTERN_TRY(facts.memberships, rows::list_memberships(tx, session->person));
    std::erase_if(facts.memberships, [](const auto& one) { return one.is_suspended; });
    POSTERN_TRY(facts.has_factor, rows::has_factor(tx, session->person));
    if (session->provider) {
        if (auto kept = keep_to_provider(tx, facts); !kept) return fail(std::move(kept.error()));
    }
    return facts;
}

Result<Membership> choose(const std::vector<Membership>& all,
                          std::optional<WorkspaceId> wanted,
                          Unnamed unnamed) {
    const bool is_named = wanted || unnamed == Unnamed::oldest;
    if (!is_named && all.size() > 1) return fail(IdentityError::workspace_needed);
    for (const auto& membership : all) {
        if (!wanted || membership.workspace == *wanted) return membership;
    }
    return fail(IdentityError::no_workspace);
}

}  // namespace

Result<SessionActor> session_actor(store::Transaction& tx,
                                   const crypto::Hash& hash,
                                   std::optional<WorkspaceId> wanted,
                                   UnixMs now_ms,
                                   Unnamed unnamed) {
    POSTERN_TRY(const auto facts, load_session(tx, hash, now_ms));
    POSTERN_TRY(const auto membership, choose(facts.memberships, wanted, unnamed));
    POSTERN_TRY(const auto workspace, rows::find_workspace(tx, membership.workspace));
    const auto asks_from = workspace ? workspace->factors_from_ms : 0;
    const auto& session = facts.session;
    Actor actor;
    actor.workspace = membership.workspace;
    actor.role = membership.role;
    actor.person = session.person;
    actor.proof = hash;
    actor.handle = handle_of(hash);
    if (facts.has_factor && session.factor_at_ms == 0) actor.standing = Standing::needs_factor;
    if (!facts.has_factor && asks_from != 0 && asks_from <= now_ms) {
        actor.standing = Standing::needs_enrolment;
    }
    const auto age_ms = now_ms - shown_at(facts);
    actor.is_fresh = age_ms >= 0 && age_ms <= k_fresh_s * 1000;
    return SessionActor{actor, session.seen_at_ms};
}

Result<> check_still(store::Transaction& tx, const Actor& actor, UnixMs now_ms) {
    if (actor.token) {
        POSTERN_TRY(const auto row, rows::find_token(tx, actor.proof));
        const bool same = row && row->role == actor.role && row->scopes == actor.scopes &&
                          !has_expired(*row, now_ms);
        if (!same) return fail(IdentityError::unauthenticated);
        return {};
    }
    POSTERN_TRY(const auto still, session_actor(tx, actor.proof, actor.workspace, now_ms));
    const bool same = still.actor.role == actor.role && still.actor.standing == actor.standing;
    if (!same) return fail(IdentityError::unauthenticated);
    return {};
}

Identity::Identity(Parts parts) : parts_(parts), dummy_hash_(dummy_password_hash(parts.cost)) {}

async::Task<> Identity::prepare_installation() {
    if (is_prepared_) co_return Result<>{};
    keys::CreateWorkspace ask{k_installation};
    auto made = co_await parts_.keeper.call(ask, keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    is_prepared_ = true;
    co_return Result<>{};
}

async::Task<std::string> Identity::workspace_name(WorkspaceRow row) {
    auto opened = co_await keys::open_record(
        &parts_.keeper, row.id, data_map::workspaces::name.value, crypto::row_key(row.id),
        std::move(row.name).take(), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<std::optional<WorkspaceRow>> Identity::find_workspace(std::string name) {
    const auto body = [](store::Transaction& tx) { return rows::list_workspaces(tx); };
    auto all = co_await parts_.database.read(body);
    if (!all) co_return fail(std::move(all.error()));
    for (auto& row : *all) {
        auto opened = co_await workspace_name(row);
        if (!opened) co_return fail(std::move(opened.error()));
        if (*opened == name) co_return std::optional<WorkspaceRow>(std::move(row));
    }
    co_return std::optional<WorkspaceRow>();
}

async::Task<WorkspaceRow> Identity::new_workspace(std::string name, bool is_demo) {
    WorkspaceRow row;
    row.created_at_ms = parts_.clock.now_ms();
    row.id = WorkspaceId::make(row.created_at_ms);
    row.is_demo = is_demo;
    keys::CreateWorkspace ask{row.id};
    auto made = co_await parts_.keeper.call(ask, keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    auto sealed =
        co_await keys::seal_record(&parts_.keeper, row.id, data_map::workspaces::name.value,
                                   crypto::row_key(row.id), to_bytes(name), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.name = store::SealedBytes(std::move(*sealed));
    co_return row;
}

async::Task<Actor> Identity::authenticate_session(std::string text,
                                                  std::optional<WorkspaceId> workspace,
                                                  Unnamed unnamed) {
    const auto hash = hash_of_bearer(k_session_prefix, text);
    wipe(text.data(), text.size());
    if (!hash) co_return fail(IdentityError::unauthenticated);
    const auto now = parts_.clock.now_ms();
    const auto body = [hash = *hash, workspace, unnamed, now](store::Transaction& tx) {
        return session_actor(tx, hash, workspace, now, unnamed);
    };
    auto seen = co_await parts_.database.read(body);
    if (!seen) co_return fail(std::move(seen.error()));
    if (now - seen->seen_at_ms >= k_seen_grain_ms) {
        const auto note = [hash = *hash, now](store::Transaction& tx) {
            return rows::note_session_seen(tx, hash, now);
        };
        // On a full disk it goes unnoted.
        (void)co_await parts_.database.write(note);
    }
    co_return seen->actor;
}

async::Task<> Identity::check_again(Actor actor) {
    const auto now = parts_.clock.now_ms();
    const auto body = [actor, now](store::Transaction& tx) { return check_still(tx, actor, now); };
    co_return co_await parts_.database.read(body);
}

async::Task<Workspace> Identity::open_workspace(WorkspaceRow row) {
    Workspace out{row.id, {}, row.is_demo, row.factors_from_ms, row.access_reviewed_at_ms};
    auto name = co_await workspace_name(std::move(row));
    if (!name) co_return fail(std::move(name.error()));
    out.name = std::move(*name);
    co_return out;
}

async::Task<Workspace> Identity::workspace(WorkspaceId id) {
    const auto body = [id](store::Transaction& tx) { return rows::find_workspace(tx, id); };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    auto found = std::move(*row);
    if (!found) co_return fail(IdentityError::no_workspace);
    co_return co_await open_workspace(std::move(*found));
}

async::Task<> Identity::demand_factors(WorkspaceId id, UnixMs from_ms, audit::By by) {
    const auto body = [id, from_ms](store::Transaction& tx) {
        return rows::set_factors_from(tx, id, from_ms);
    };
    audit::Act act{std::move(by), "workspace.second_factor_from", {}};
    act.about = {{"from_ms", std::to_string(from_ms)}};
    auto stored = co_await parts_.audit.record(id, std::move(act), body);
    if (stored) note_ending();
    co_return stored;
}

async::Task<std::string> Identity::open_address(PersonRow person) {
    auto address = co_await keys::open_record(
        &parts_.keeper, k_installation, data_map::people::address.value, crypto::row_key(person.id),
        std::move(person.address).take(), keeper_deadline());
    if (!address) co_return fail(std::move(address.error()));
    co_return std::string(as_text(*address));
}

async::Task<Me> Identity::me(Actor actor) {
    struct Facts {
        std::optional<WorkspaceRow> workspace;
        std::optional<PersonRow> person;
    };
    const auto body = [actor](store::Transaction& tx) -> Result<Facts> {
        Facts facts;
        POSTERN_TRY(facts.workspace, rows::find_workspace(tx, actor.workspace));
        if (actor.person) {
            POSTERN_TRY(facts.person, rows::find_person(tx, *actor.person));
        }
        return facts;
    };
    auto facts = co_await parts_.database.read(body);
    if (!facts) co_return fail(std::move(facts.error()));
    auto workspace = std::move(facts->workspace);
    auto person = std::move(facts->person);
    if (!workspace) co_return fail(IdentityError::no_workspace);
    Me me;
    auto opened = co_await open_workspace(std::move(*workspace));
    if (!opened) co_return fail(std::move(opened.error()));
    me.workspace = std::move(*opened);
    if (person) {
        auto email = co_await open_address(std::move(*person));
        if (!email) co_return fail(std::move(email.error()));
        me.email = std::move(*email);
    }
    co_return me;
}

}  // namespace postern::identity
