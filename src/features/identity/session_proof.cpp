#include "features/identity/session_proof.h"

#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/bearer.h"
#include "features/identity/client.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace postern::identity {

Result<SessionRow> prove_session(store::Transaction& tx,
                                 const Actor& actor,
                                 Shown shown,
                                 const std::optional<crypto::Hash>& other,
                                 UnixMs now_ms) {
    POSTERN_TRY(auto session, rows::find_session(tx, actor.proof));
    const bool is_there = session && session->person == actor.person && !is_over(*session, now_ms);
    if (!is_there) return fail(IdentityError::unauthenticated);
    auto row = *session;
    if (shown.password) row.password_at_ms = now_ms;
    if (shown.factor) row.factor_at_ms = now_ms;
    row.expires_at_ms = row.created_at_ms + k_session_s * 1000;
    if (auto done = rows::delete_attempts(tx, attempts_key(row.person)); !done) {
        return fail(std::move(done.error()));
    }
    if (!other) {
        POSTERN_TRY(const bool updated, rows::update_session(tx, row));
        if (!updated) return fail(IdentityError::unauthenticated);
        return row;
    }
    if (auto done = rows::delete_session(tx, row.token_hash); !done) {
        return fail(std::move(done.error()));
    }
    row.token_hash = *other;
    if (auto done = rows::insert_session(tx, row); !done) return fail(std::move(done.error()));
    return row;
}

Result<bool> show_new_factor(store::Transaction& tx,
                             const Actor& actor,
                             const NewlyCounted& added,
                             UnixMs now_ms) {
    POSTERN_TRY([[maybe_unused]] const auto proven,
                prove_session(tx, actor, {.factor = true}, std::nullopt, now_ms));
    if (added.had_one) return false;
    auto stored = rows::replace_recovery_codes(tx, *actor.person, added.recovery_codes);
    if (!stored) return fail(std::move(stored.error()));
    return true;
}

async::Task<BegunSession> begin_session(
    Identity* identity, ipc::Link* keeper, PersonId person, Client client, UnixMs now_ms) {
    BegunSession out{make_bearer(k_session_prefix), {}, {}};
    out.row.token_hash = out.bearer.hash;
    out.row.person = person;
    out.row.id = SessionId::make(now_ms);
    out.row.created_at_ms = out.row.seen_at_ms = now_ms;
    auto news = co_await identity->news_of_client(person, client);
    if (!news) co_return fail(std::move(news.error()));
    out.news = std::move(*news);
    auto sealed = co_await seal_client(keeper, out.row.id, std::move(client));
    if (!sealed) co_return fail(std::move(sealed.error()));
    out.row.client = store::SealedBytes(std::move(*sealed));
    co_return out;
}

Result<> store_begun(store::Transaction& tx, const SessionRow& row, const ClientNews& news) {
    POSTERN_TRY(const auto places, rows::list_memberships(tx, row.person));
    const bool works =
        std::ranges::any_of(places, [](const auto& place) { return !place.is_suspended; });
    if (!works) return fail(IdentityError::invalid_credentials);
    auto stored = rows::delete_expired_sessions(tx, row.created_at_ms);
    if (stored) stored = rows::delete_surplus_sessions(tx, row.person);
    if (stored) stored = rows::insert_session(tx, row);
    if (stored) stored = rows::note_sign_in(tx, row.person, row.created_at_ms);
    if (stored) stored = tell(tx, row.person, news, row.created_at_ms);
    return stored;
}

SessionText::SessionText(const Actor& actor) {
    if (actor.standing != Standing::whole) fresh_ = make_bearer(k_session_prefix);
}

std::optional<crypto::Hash> SessionText::hash() const {
    if (!fresh_) return std::nullopt;
    return fresh_->hash;
}

NewSession SessionText::session(const SessionRow& row) {
    NewSession out;
    out.person = row.person;
    out.expires_at_ms = row.expires_at_ms;
    if (fresh_) out.text = std::move(fresh_->text);
    return out;
}

}  // namespace postern::identity
