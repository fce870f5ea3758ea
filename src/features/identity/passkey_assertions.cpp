#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/audited.h"
#include "features/identity/client.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/passkey_record.h"
#include "features/identity/passkey_store.h"
#include "features/identity/passkeys.h"
#include "features/identity/persons_record.h"
#include "features/identity/session_proof.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/assertion.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/key_error.h"
#include "platform/net/ip_address.h"
#include "platform/store/transaction.h"

#include <optional>
#include <string>
#include <utility>

namespace postern::identity {
namespace {

constexpr auto k_counter_not_grown = "counter_not_grown";

/// What is stored of the credential that an assertion names.
struct Found {
    std::optional<FactorRow> factor;
    std::optional<Bytes> user_handle;  ///< of whose it is
};

Result<Found> find(store::Transaction& tx, const crypto::Hash& credential) {
    Found out;
    POSTERN_TRY(out.factor, rows::find_credential(tx, credential));
    if (!out.factor) return out;
    POSTERN_TRY(out.user_handle, rows::find_user_handle(tx, out.factor->person));
    return out;
}

/// Section 7.2, "identify the user": empty where the credential is the one to be shown.
std::string why_not_this(const Found& found,
                         const std::optional<PersonId>& person,
                         const std::optional<Bytes>& user_handle) {
    if (!found.factor) return "credential_unknown";
    if (person && found.factor->person != *person) return "credential_of_other";
    if (!person && !user_handle) return "user_handle_missing";
    if (user_handle && user_handle != found.user_handle) return "user_handle_of_other";
    return {};
}

/// The counter is taken, or nothing of the transaction happens.
Result<> take_use(store::Transaction& tx,
                  const FactorRow& factor,
                  std::uint32_t count,
                  UnixMs now_ms) {
    POSTERN_TRY(const bool taken, rows::take_count(tx, factor.id, count, now_ms));
    if (!taken) return fail(IdentityError::invalid_passkey, k_counter_not_grown);
    return {};
}

}  // namespace

async::Task<> Passkeys::count(Bytes place) {
    const auto now = parts_.clock.now_ms();
    const auto body = [place = std::move(place), now](store::Transaction& tx) {
        return store::done(count_attempt(tx, place, now, k_free_passkeys));
    };
    co_return co_await parts_.database.write(body);
}

async::Task<Passkeys::Judgement> Passkeys::judge(Ask ask, ShownPasskey shown, RelyingParty party) {
    Judgement out;
    auto challenge = co_await take_challenge(ask.purpose, ask.session, shown.client_data_json);
    if (!challenge) co_return fail(std::move(challenge.error()));
    const auto load = [hash = crypto::sha256(shown.credential_id)](store::Transaction& tx) {
        return find(tx, hash);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    out.factor = found->factor;
    out.refused = *challenge ? why_not_this(*found, ask.person, shown.user_handle)
                             : std::string("challenge_unknown");
    if (!out.refused.empty()) co_return out;
    auto record = co_await open_record(*out.factor);
    const bool is_moved = !record && record.error().is(keys::KeyError::cannot_open);
    if (!record && !is_moved) co_return fail(std::move(record.error()));
    if (is_moved)
        out.refused = "credential_does_not_open";
    else if (!ask.person && !record->user_verified)
        out.refused = "user_not_verified_when_made";
    if (!out.refused.empty()) co_return out;
    const webauthn::Expected expected{std::move(**challenge), std::move(party.origins),
                                      std::move(party.id), !ask.person};
    const webauthn::StoredCredential stored{std::move(record->public_key), out.factor->sign_count,
                                            record->backup_eligible};
    const auto assertion = webauthn::check_assertion(
        primitives_, expected, stored,
        {shown.client_data_json, shown.authenticator_data, shown.signature});
    if (!assertion) {
        out.refused = assertion.error().code();
        co_return out;
    }
    out.sign_count = assertion->sign_count;
    co_return out;
}

async::Task<RequestOptions> Passkeys::request_options(Self who) {
    const auto actor = who.actor();
    if (!actor.person) co_return fail(IdentityError::person_needed);
    RequestOptions out;
    auto known = co_await known_credentials(*actor.person);
    if (!known) co_return fail(std::move(known.error()));
    if (known->empty()) co_return fail(IdentityError::factor_not_found);
    out.known = std::move(*known);
    auto challenge = co_await new_challenge(ChallengePurpose::show, actor.proof);
    if (!challenge) co_return fail(std::move(challenge.error()));
    out.challenge = std::move(*challenge);
    co_return out;
}

async::Task<Bytes> Passkeys::sign_in_challenge(net::IpAddress from) {
    co_return co_await new_challenge(ChallengePurpose::sign_in, place_of(from));
}

async::Task<NewSession> Passkeys::prove(Actor actor, Judgement good, Bytes place) {
    const auto now = parts_.clock.now_ms();
    SessionText text(actor);
    const auto body = [actor, good, place = std::move(place), hash = text.hash(),
                       now](store::Transaction& tx) -> Result<SessionRow> {
        auto taken = take_use(tx, *good.factor, good.sign_count, now);
        if (taken) taken = rows::delete_attempts(tx, place);
        if (!taken) return fail(std::move(taken.error()));
        return prove_session(tx, actor, {.factor = true}, hash, now);
    };
    audit::Act act{by(actor), "session.proven", {}};
    act.about = {{"with", "passkey"}, {"factor_id", good.factor->id.text()}};
    auto proven = co_await record_of_person(&parts_.identity, &parts_.audit, *actor.person,
                                            std::move(act), body);
    if (!proven) co_return fail(std::move(proven.error()));
    co_return text.session(*proven);
}

async::Task<NewSession> Passkeys::show(Self who, ShownPasskey shown, RelyingParty party) {
    const auto actor = who.actor();
    if (!actor.person) co_return fail(IdentityError::person_needed);
    const auto place = to_bytes(place_of(actor.from.value_or(net::IpAddress{})));
    auto counted = co_await count(place);
    if (!counted) co_return fail(std::move(counted.error()));
    const Ask ask{ChallengePurpose::show, actor.proof, actor.person};
    auto judged = co_await judge(ask, std::move(shown), std::move(party));
    if (!judged) co_return fail(std::move(judged.error()));
    auto refused = judged->refused;
    if (refused.empty()) {
        auto proven = co_await prove(actor, std::move(*judged), place);
        if (proven || !proven.error().is(IdentityError::invalid_passkey)) {
            co_return std::move(proven);
        }
        refused = proven.error().detail();
    }
    audit::Act act{by(actor), "session.proof_refused", {{"with", "passkey"}}};
    auto noted = co_await note_refused(std::move(act), *actor.person, std::move(refused));
    if (!noted) co_return fail(std::move(noted.error()));
    co_return fail(IdentityError::invalid_passkey);
}

async::Task<NewSession> Passkeys::begin(Judgement good, Client client, Bytes place) {
    const auto now = parts_.clock.now_ms();
    const auto person = good.factor->person;
    const auto from = client.address;
    auto begun =
        co_await begin_session(&parts_.identity, &parts_.keeper, person, std::move(client), now);
    if (!begun) co_return fail(std::move(begun.error()));
    auto row = begun->row;
    row.password_at_ms = row.factor_at_ms = now;
    row.expires_at_ms = now + k_session_s * 1000;
    audit::Act act{by(person, from), "session.started", {}};
    act.about = {
        {"with", "passkey"}, {"session_id", row.id.text()}, {"factor_id", good.factor->id.text()}};
    const auto body = [row, good = std::move(good), place = std::move(place),
                       news = std::move(begun->news), now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto known, rows::find_person(tx, row.person));
        // Of a provider's people it is a second factor alone: the provider is their way in.
        if (known && known->managed_in) return fail(IdentityError::invalid_passkey, "managed");
        auto stored = take_use(tx, *good.factor, good.sign_count, now);
        if (stored) stored = rows::delete_attempts(tx, place);
        if (stored) stored = store_begun(tx, row, news);
        if (!stored && stored.error().is(IdentityError::invalid_credentials)) {
            return fail(IdentityError::invalid_passkey, "works_nowhere");
        }
        return stored;
    };
    auto stored =
        co_await record_of_person(&parts_.identity, &parts_.audit, person, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return NewSession{person, row.expires_at_ms, false, std::move(begun->bearer.text)};
}

async::Task<NewSession> Passkeys::sign_in(SignIn ask) {
    auto prepared = co_await parts_.identity.prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));
    const auto place = to_bytes(place_of(ask.from));
    auto counted = co_await count(place);
    if (!counted) co_return fail(std::move(counted.error()));
    const Ask of_anybody{ChallengePurpose::sign_in, std::nullopt, std::nullopt};
    auto judged = co_await judge(of_anybody, std::move(ask.shown), std::move(ask.party));
    if (!judged) co_return fail(std::move(judged.error()));
    const auto person = judged->factor ? judged->factor->person : PersonId();
    const auto from = ask.client.address;
    audit::Act act{{audit::By::Kind::nobody, {}, from}, "session.refused", {{"with", "passkey"}}};
    if (judged->factor) {
        act.about.push_back({"person_id", person.text()});
        act.about.push_back({"factor_id", judged->factor->id.text()});
    }
    auto refused = judged->refused;
    if (refused.empty()) {
        auto begun = co_await begin(std::move(*judged), std::move(ask.client), place);
        if (begun || !begun.error().is(IdentityError::invalid_passkey)) co_return std::move(begun);
        refused = begun.error().detail();
    }
    auto noted = co_await note_refused(std::move(act), person, std::move(refused));
    if (!noted) co_return fail(std::move(noted.error()));
    co_return fail(IdentityError::invalid_passkey);
}

}  // namespace postern::identity
