#include "features/identity/session_proof.h"

#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

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
