#include "features/identity/trials.h"

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/password_change.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/people_store.h"
#include "features/identity/place_change.h"
#include "features/identity/policy.h"
#include "features/identity/provider_store.h"
#include "features/identity/scopes.h"
#include "features/identity/session_proof.h"
#include "features/identity/stored_actor.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

constexpr std::size_t k_noise_bytes = 32;

/// What `body` finds in a transaction that is rolled back.
template <typename T, typename Body>
async::Task<T> rolled_back(store::Database* database, Body body) {
    const auto seen = std::make_shared<std::optional<T>>();
    const auto all = [seen, body = std::move(body)](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto found, body(tx));
        seen->emplace(std::move(found));
        return fail(IdentityError::unauthenticated);
    };
    auto ended = co_await database->write(all);
    auto found = std::move(*seen);
    if (!found) co_return fail(ended ? Error(IdentityError::unauthenticated) : ended.error());
    co_return std::move(*found);
}

/// Opens nothing, and is never opened.
store::SealedBytes noise() {
    return store::SealedBytes(crypto::random_bytes(k_noise_bytes));
}

/// A person of a workspace of nobody's, with one session.
struct Somebody {
    WorkspaceId workspace;
    PersonRow person;
    SessionRow session;
    std::optional<ProviderRow> provider;  ///< that the session came of
};

SessionRow session_of(PersonId person, UnixMs now_ms) {
    SessionRow row;
    row.token_hash = make_bearer(k_session_prefix).hash;
    row.person = person;
    row.id = SessionId::make(now_ms);
    row.created_at_ms = row.password_at_ms = row.seen_at_ms = now_ms;
    row.expires_at_ms = now_ms + k_session_s * 1000;
    row.client = noise();
    return row;
}

Result<> add_factor(store::Transaction& tx, PersonId person, UnixMs now_ms) {
    FactorRow row;
    row.id = FactorId::make(now_ms);
    row.person = person;
    row.name = noise();
    row.secret = noise();
    row.created_at_ms = now_ms;
    if (auto done = rows::insert_factor(tx, row); !done) return done;
    // As by the code that confirms it.
    POSTERN_TRY(const bool taken, rows::take_step(tx, row.id, 1, now_ms));
    if (!taken) return fail(IdentityError::factor_not_found);
    return {};
}

Result<Somebody> add_somebody(store::Transaction& tx, Role role, Standing standing, UnixMs now_ms) {
    Somebody out;
    out.workspace = WorkspaceId::make(now_ms);
    WorkspaceRow workspace;
    workspace.id = out.workspace;
    workspace.name = noise();
    workspace.created_at_ms = now_ms;
    if (auto done = rows::insert_workspace(tx, workspace); !done) return fail(done.error());
    if (auto done = rows::set_factors_from(tx, out.workspace, now_ms); !done) {
        return fail(done.error());
    }
    out.person.id = PersonId::make(now_ms);
    out.person.address_token = crypto::random_bytes(k_noise_bytes);
    out.person.address = noise();
    out.person.password = noise();
    out.person.created_at_ms = now_ms;
    if (auto done = rows::insert_person(tx, out.person); !done) return fail(done.error());
    const Membership member{out.workspace, out.person.id, role, now_ms};
    if (auto done = rows::insert_membership(tx, member); !done) return fail(done.error());
    if (standing != Standing::needs_enrolment) {
        if (auto done = add_factor(tx, out.person.id, now_ms); !done) return fail(done.error());
    }
    out.session = session_of(out.person.id, now_ms);
    if (standing == Standing::whole) out.session.factor_at_ms = now_ms;
    if (auto done = rows::insert_session(tx, out.session); !done) return fail(done.error());
    return out;
}

/// They come once more, through a provider.
Result<> come_by_provider(store::Transaction& tx, Somebody& who, UnixMs now_ms) {
    ProviderRow provider;
    provider.workspace = who.workspace;
    provider.id = ProviderId::make(now_ms);
    provider.settings = noise();
    provider.client = noise();
    auto done = rows::insert_provider(tx, provider);
    who.session = session_of(who.person.id, now_ms);
    who.session.factor_at_ms = now_ms;
    who.session.provider = provider.id;
    who.session.provider_at_ms = now_ms;
    if (done) done = rows::insert_session(tx, who.session);
    who.provider = std::move(provider);
    return done;
}

/// Brings the session to its end. What it answers is the time by then.
using End = Result<UnixMs> (*)(store::Transaction& tx, const Somebody& who, UnixMs now_ms);

Result<UnixMs> sign_out(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    if (auto done = rows::delete_session(tx, who.session.token_hash); !done) {
        return fail(done.error());
    }
    return now_ms;
}

Result<UnixMs> end_by_its_id(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    POSTERN_TRY([[maybe_unused]] const auto ended,
                rows::delete_session(tx, who.person.id, who.session.id));
    return now_ms;
}

Result<UnixMs> end_all_others(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    const auto kept = make_bearer(k_session_prefix).hash;
    if (auto done = rows::delete_other_sessions(tx, who.person.id, kept); !done) {
        return fail(done.error());
    }
    return now_ms;
}

Result<UnixMs> change_password(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    const auto other = session_of(who.person.id, now_ms);
    if (auto done = rows::insert_session(tx, other); !done) return fail(done.error());
    const Rotated change{{other.token_hash, make_bearer(k_session_prefix).hash},
                         {who.person.id, who.person.password, noise()},
                         who.person.address_token};
    POSTERN_TRY([[maybe_unused]] const auto until, store_change(tx, change, now_ms));
    return now_ms;
}

/// In the session itself: it goes on, under another text.
Result<UnixMs> change_own_password(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    const Rotated change{{who.session.token_hash, make_bearer(k_session_prefix).hash},
                         {who.person.id, who.person.password, noise()},
                         who.person.address_token};
    POSTERN_TRY([[maybe_unused]] const auto until, store_change(tx, change, now_ms));
    return now_ms;
}

Result<UnixMs> choose_password_by_link(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    ResetRow reset;
    reset.token_hash = make_bearer(k_reset_prefix).hash;
    reset.person = who.person.id;
    reset.expires_at_ms = now_ms + 1000;
    if (auto done = rows::insert_reset(tx, reset, now_ms); !done) return fail(done.error());
    LinkUsed used;
    used.link = reset.token_hash;
    used.password = {who.person.id, who.person.password, noise()};
    used.address_token = who.person.address_token;
    used.now_ms = now_ms;
    if (auto done = store_link_used(tx, used); !done) return fail(done.error());
    return now_ms;
}

Result<UnixMs> change_place(store::Transaction& tx, PlaceChange change, UnixMs now_ms) {
    change.kept_address = noise();
    change.now_ms = now_ms;
    if (auto done = store_place_change(tx, change); !done) return fail(done.error());
    return now_ms;
}

Result<UnixMs> be_suspended(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    PlaceChange change;
    change.workspace = who.workspace;
    change.person = who.person.id;
    change.is_suspended = true;
    return change_place(tx, std::move(change), now_ms);
}

Result<UnixMs> get_another_role(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    PlaceChange change;
    change.workspace = who.workspace;
    change.person = who.person.id;
    change.role = Role::reader;
    return change_place(tx, std::move(change), now_ms);
}

Result<UnixMs> leave(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    PlaceChange change;
    change.workspace = who.workspace;
    change.person = who.person.id;
    change.ends = true;
    return change_place(tx, std::move(change), now_ms);
}

Result<UnixMs> lose_provider(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    POSTERN_TRY([[maybe_unused]] const auto deleted,
                rows::delete_provider(tx, who.workspace, who.provider->id));
    return now_ms;
}

Result<UnixMs> turn_provider_off(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    auto off = *who.provider;
    off.is_on = false;
    POSTERN_TRY([[maybe_unused]] const auto changed, rows::update_provider(tx, off));
    return now_ms;
}

Result<UnixMs> unlink(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    LinkRow link;
    link.person = who.person.id;
    link.provider = who.provider->id;
    const auto kept = make_bearer(k_session_prefix).hash;
    if (auto done = rows::delete_link_sessions(tx, link, kept); !done) return fail(done.error());
    return now_ms;
}

Result<UnixMs> become_whole(store::Transaction& tx, const Somebody& who, UnixMs now_ms) {
    POSTERN_TRY(const auto half, session_actor(tx, who.session.token_hash, std::nullopt, now_ms));
    const auto other = make_bearer(k_session_prefix).hash;
    POSTERN_TRY([[maybe_unused]] const auto proven,
                prove_session(tx, half.actor, {.factor = true}, other, now_ms));
    return now_ms;
}

Result<UnixMs> wait_to_its_end(store::Transaction& tx, const Somebody& who, UnixMs) {
    // Somebody is there all the time.
    const auto end = who.session.expires_at_ms;
    if (auto done = rows::note_session_seen(tx, who.session.token_hash, end - 1); !done) {
        return fail(done.error());
    }
    return end;
}

Result<UnixMs> wait_idle(store::Transaction&, const Somebody& who, UnixMs) {
    return who.session.seen_at_ms + k_session_idle_s * 1000;
}

Result<UnixMs> set_clock_back(store::Transaction&, const Somebody&, UnixMs now_ms) {
    return now_ms - 2 * k_clock_set_back_max_s * 1000;
}

struct WayToEnd {
    std::string_view how;
    End end;
    Standing standing = Standing::whole;
    bool by_provider = false;  ///< the session came of one
};
constexpr WayToEnd k_ends[] = {
    {"its person signed out", sign_out},
    {"its person ended it from another session", end_by_its_id},
    {"its person ended all others", end_all_others},
    {"the password was changed in another session", change_password},
    {"the password was changed in it, and it got another text", change_own_password},
    {"a new password was chosen by a link", choose_password_by_link},
    {"its person was suspended", be_suspended},
    {"its person got another role", get_another_role},
    {"its person left", leave},
    {"the identity provider that it came of was deleted", lose_provider, Standing::whole, true},
    {"the identity provider that it came of was turned off", turn_provider_off, Standing::whole,
     true},
    {"its person unlinked the account that it came of", unlink, Standing::whole, true},
    {"it became whole, and got another text", become_whole, Standing::needs_factor},
    {"its time was over", wait_to_its_end},
    {"it was idle for too long", wait_idle},
    {"the clock was set back to before it began", set_clock_back},
};

bool is_refusal(const Error& error) {
    return error.is(IdentityError::unauthenticated) || error.is(IdentityError::no_workspace);
}

Result<Trials::Ended> try_end(store::Transaction& tx,
                              const WayToEnd& way,
                              bool really,
                              UnixMs now_ms) {
    POSTERN_TRY(auto who, add_somebody(tx, Role::manager, way.standing, now_ms));
    if (way.by_provider) {
        if (auto came = come_by_provider(tx, who, now_ms); !came) return fail(came.error());
    }
    const auto& hash = who.session.token_hash;
    const auto before = session_actor(tx, hash, std::nullopt, now_ms);
    Trials::Ended out{way.how, before && before->actor.standing == way.standing, false, false};
    if (!out.was_good) return out;
    auto then = now_ms;
    if (really) {
        POSTERN_TRY(then, way.end(tx, who, now_ms));
    }
    const auto after = session_actor(tx, hash, std::nullopt, then);
    if (!after && !is_refusal(after.error())) return fail(after.error());
    out.is_good = after.has_value();
    out.stream_goes_on = check_still(tx, before->actor, then).has_value();
    return out;
}

}  // namespace

async::Task<Actor> Trials::session(Role role, Standing standing) {
    const auto body = [role, standing,
                       now = clock_.now_ms()](store::Transaction& tx) -> Result<Actor> {
        POSTERN_TRY(const auto who, add_somebody(tx, role, standing, now));
        POSTERN_TRY(const auto known, session_actor(tx, who.session.token_hash, std::nullopt, now));
        return known.actor;
    };
    co_return co_await rolled_back<Actor>(&database_, body);
}

async::Task<Actor> Trials::token(Role role) {
    const auto body = [role, now = clock_.now_ms()](store::Transaction& tx) -> Result<Actor> {
        TokenRow row;
        row.token_hash = make_bearer(k_api_token_prefix).hash;
        row.id = TokenId::make(now);
        row.workspace = WorkspaceId::make(now);
        row.role = role;
        row.scopes = Scopes::all();
        row.created_at_ms = now;
        if (auto done = rows::insert_token(tx, row); !done) return fail(done.error());
        POSTERN_TRY(const auto found, rows::find_token(tx, row.token_hash));
        if (!found) return fail(IdentityError::token_not_found);
        return actor_of(*found);
    };
    co_return co_await rolled_back<Actor>(&database_, body);
}

async::Task<std::vector<Trials::Ended>> Trials::ends(bool really) {
    using All = std::vector<Ended>;
    const auto body = [really, now = clock_.now_ms()](store::Transaction& tx) -> Result<All> {
        All out;
        for (const auto& way : k_ends) {
            POSTERN_TRY(auto ended, try_end(tx, way, really, now));
            out.push_back(ended);
        }
        return out;
    };
    co_return co_await rolled_back<All>(&database_, body);
}

}  // namespace postern::identity
