#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/letters.h"
#include "features/identity/password_change.h"
#include "features/identity/password_rules.h"
#include "features/identity/persons_record.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/records.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

struct Looked {
    bool matches = false;
    std::string raised;  ///< the hash at today's cost; empty: the one there is costs enough
};

Result<Looked> look_at(const std::string& hash, const Secret& password, crypto::Argon2Cost today) {
    Looked looked;
    looked.matches = crypto::verify_password(hash, password);
    const auto cost = looked.matches ? crypto::cost_of_hash(hash) : std::nullopt;
    const auto raised = cost ? crypto::raised_cost(*cost, today) : std::nullopt;
    if (!raised) return looked;
    // Where there is no memory for more, the password is right all the same.
    auto better = crypto::hash_password(password, *raised);
    if (better) looked.raised = std::move(*better);
    return looked;
}

}  // namespace

Result<UnixMs> store_change(store::Transaction& tx, const Rotated& change, UnixMs now_ms) {
    POSTERN_TRY(const auto session, rows::find_session(tx, change.tokens.from));
    const auto person = change.password.person;
    if (!session || is_over(*session, now_ms) || session->person != person) {
        return fail(IdentityError::unauthenticated);
    }
    POSTERN_TRY(const auto replaced, rows::replace_password(tx, change.password));
    // Another change came between: what was verified is the password no longer.
    if (replaced == 0) return fail(async::AsyncError::busy);
    if (auto done = rows::delete_attempts(tx, change.address); !done) return fail(done.error());
    if (auto done = rows::delete_other_sessions(tx, person, change.tokens.from); !done) {
        return fail(done.error());
    }
    if (auto done = own_mail::OwnMail::put(tx, change.letter); !done) return fail(done.error());
    POSTERN_TRY([[maybe_unused]] const auto rotated, rows::rotate_session(tx, change.tokens));
    return session->expires_at_ms;
}

async::Task<Identity::Verified> Identity::verify_password(std::optional<PersonRow> person,
                                                          Secret password,
                                                          Bytes key) {
    Verified verified;
    const bool exists = person && !person->managed_in;
    if (exists) {
        verified.person = person->id;
        verified.password = person->password;
    }
    auto hash = co_await password_hash(std::move(person), key);
    if (!hash) co_return fail(std::move(hash.error()));
    auto work = [hash = std::move(*hash), password = std::move(password), today = parts_.cost] {
        return look_at(hash, password, today);
    };
    auto looked = co_await parts_.passwords.run(std::move(work));
    if (!looked) {
        (void)co_await take_back(std::move(key));
        co_return fail(std::move(looked.error()));
    }
    ++passwords_compared_;
    if (!exists || !looked->matches) co_return fail(IdentityError::invalid_credentials);
    if (!looked->raised.empty()) {
        auto raised = co_await seal_hash(verified.person, std::move(looked->raised));
        if (!raised) co_return fail(std::move(raised.error()));
        verified.raised = std::move(*raised);
    }
    co_return verified;
}

async::Task<std::string> Identity::hash_password(Secret password) {
    auto work = [password = std::move(password), cost = parts_.cost] {
        return crypto::hash_password(password, cost);
    };
    co_return co_await parts_.passwords.run(std::move(work));
}

async::Task<store::SealedBytes> Identity::new_password(PersonId person, Secret password) {
    auto hash = co_await hash_password(std::move(password));
    if (!hash) co_return fail(std::move(hash.error()));
    co_return co_await seal_hash(person, std::move(*hash));
}

async::Task<store::SealedBytes> Identity::seal_hash(PersonId person, std::string hash) {
    auto sealed = co_await keys::seal_record(
        &parts_.keeper, k_installation, data_map::people::password.value, crypto::row_key(person),
        to_bytes(hash), Deadline::in(std::chrono::seconds(20)));
    if (!sealed) co_return fail(std::move(sealed.error()));
    co_return store::SealedBytes(std::move(*sealed));
}

/// A session comes of the password that is stored when it begins: one that was changed meanwhile
/// has ended all that came of the old one.
Result<> Identity::keep_verified(store::Transaction& tx, const Verified& verified) {
    if (verified.raised) {
        const rows::NewPassword raise{verified.person, verified.password, *verified.raised};
        POSTERN_TRY(const auto replaced, rows::replace_password(tx, raise));
        if (replaced == 0) return fail(async::AsyncError::busy);
        return {};
    }
    POSTERN_TRY(const auto person, rows::find_person(tx, verified.person));
    if (!person || person->password != verified.password) return fail(async::AsyncError::busy);
    return {};
}

async::Task<NewSession> Identity::change_password(Authorized<Permission::change_own_password> asks,
                                                  PasswordChange change) {
    const auto& actor = asks.actor();
    const auto id = *actor.person;
    auto who = co_await me(actor);
    if (!who) co_return fail(std::move(who.error()));
    const auto fit =
        check_new_password(change.next, {.address = who->email, .workspace = who->workspace.name});
    if (!fit) co_return fail(fit.error());

    const auto find = [id](store::Transaction& tx) { return rows::find_person(tx, id); };
    auto person = co_await parts_.database.read(find);
    if (!person) co_return fail(std::move(person.error()));
    auto known = std::move(*person);
    if (!known) co_return fail(IdentityError::unauthenticated);
    const auto address = known->address_token;
    auto counted = co_await count(address);
    if (!counted) co_return fail(std::move(counted.error()));
    auto verified = co_await verify_password(std::move(known), std::move(change.current), address);
    if (!verified && verified.error().is(IdentityError::invalid_credentials)) {
        audit::Act wrong{by(actor), "password.change_refused", {}};
        const auto nothing = [](store::Transaction&) { return Result<>{}; };
        auto noted = co_await record_of_person(this, &parts_.audit, id, std::move(wrong), nothing);
        if (!noted) co_return fail(std::move(noted.error()));
    }
    if (!verified) co_return fail(std::move(verified.error()));

    auto sealed = co_await new_password(id, std::move(change.next));
    if (!sealed) {
        // The current one was right: no guess.
        (void)co_await take_back(address);
        co_return fail(std::move(sealed.error()));
    }
    auto bearer = make_bearer(k_session_prefix);
    Rotated rotated;
    rotated.tokens = {actor.proof, bearer.hash};
    rotated.password = {id, std::move(verified->password), std::move(*sealed)};
    rotated.address = address;
    const auto now = parts_.clock.now_ms();
    auto letter = co_await parts_.mail.enclose(letters::password_changed(who->email, now));
    if (!letter) co_return fail(std::move(letter.error()));
    rotated.letter = std::move(*letter);
    const auto body = [rotated = std::move(rotated), now](store::Transaction& tx) {
        return store_change(tx, rotated, now);
    };
    auto chains = co_await workspaces_of(id);
    if (!chains) co_return fail(std::move(chains.error()));
    audit::Act act{by(actor), "password.changed", {}};
    auto stored = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    ++endings_;
    parts_.mail.wake();
    NewSession session;
    session.person = id;
    session.expires_at_ms = *stored;
    session.text = std::move(bearer.text);
    co_return session;
}

}  // namespace postern::identity
