#include "features/identity/passkeys.h"

#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/factor_seal.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/names.h"
#include "features/identity/passkey_record.h"
#include "features/identity/passkey_store.h"
#include "features/identity/persons_record.h"
#include "features/identity/recovery_codes.h"
#include "features/identity/session_proof.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/webauthn/client_data.h"
#include "foundation/codec/webauthn/registration.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/key_error.h"
#include "platform/keys/records.h"
#include "platform/net/ip_address.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

/// A network of IPv6 counts as one place: whoever has an address there has 2^64 of them.
ByteView network_of(const net::IpAddress& from) {
    constexpr std::size_t k_network_bytes = 8;
    return from.is_v4() ? from.bytes() : from.bytes().first(k_network_bytes);
}

Result<bool> store_passkey(store::Transaction& tx,
                           const Actor& actor,
                           const FactorRow& row,
                           const std::vector<crypto::Hash>& recovery_codes) {
    POSTERN_TRY(const auto present, rows::list_factors(tx, row.person));
    if (present.size() >= k_factors_max) return fail(IdentityError::too_many_factors);
    POSTERN_TRY(const auto same, rows::find_credential(tx, *row.credential_hash));
    if (same) return fail(IdentityError::invalid_passkey, "credential_known");
    POSTERN_TRY(const bool had_one, rows::has_factor(tx, row.person));
    if (auto stored = rows::insert_factor(tx, row); !stored) return fail(std::move(stored.error()));
    return show_new_factor(tx, actor, {had_one, recovery_codes}, row.created_at_ms);
}

}  // namespace

crypto::Hash Passkeys::place_of(const net::IpAddress& from) const {
    return crypto::hmac(place_key_, network_of(from.unmapped()));
}

async::Task<Bytes> Passkeys::new_challenge(ChallengePurpose purpose, crypto::Hash asker) {
    auto challenge = crypto::random_bytes(k_challenge_bytes);
    const auto now = parts_.clock.now_ms();
    const ChallengeRow row{crypto::sha256(challenge), purpose, asker, now + k_challenge_s * 1000};
    const auto body = [row, now](store::Transaction& tx) {
        return rows::insert_challenge(tx, row, now);
    };
    auto stored = co_await parts_.database.write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return challenge;
}

async::Task<std::optional<Bytes>> Passkeys::take_challenge(ChallengePurpose purpose,
                                                           std::optional<crypto::Hash> session,
                                                           Bytes client_data_json) {
    auto client = webauthn::parse_client_data(client_data_json);
    if (!client) co_return std::optional<Bytes>{};
    const auto now = parts_.clock.now_ms();
    const auto body = [hash = crypto::sha256(client->challenge), now](store::Transaction& tx) {
        return rows::take_challenge(tx, hash, now);
    };
    auto taken = co_await parts_.database.write(body);
    if (!taken) co_return fail(std::move(taken.error()));
    const auto found = *taken;
    const bool is_for_this =
        found && found->purpose == purpose && (!session || found->asker == *session);
    if (!is_for_this) co_return std::optional<Bytes>{};
    co_return std::optional<Bytes>(std::move(client->challenge));
}

async::Task<PasskeyRecord> Passkeys::open_record(FactorRow row) {
    const auto person = row.person;
    auto secret = co_await open_factor_secret(&parts_.keeper, std::move(row));
    if (!secret) co_return fail(std::move(secret.error()));
    auto record = secret->with_bytes(
        [](ByteView bytes) { return keys::decode_record<PasskeyRecord>(bytes); });
    if (record && record->person != person) co_return fail(keys::KeyError::cannot_open);
    co_return record;
}

async::Task<std::vector<KnownCredential>> Passkeys::known_credentials(PersonId person) {
    const auto load = [person](store::Transaction& tx) { return rows::list_factors(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<KnownCredential> out;
    for (const auto& row : *found) {
        if (row.kind != FactorKind::passkey) continue;
        auto record = co_await open_record(row);
        if (!record) co_return fail(std::move(record.error()));
        out.push_back({std::move(record->id), std::move(record->transports)});
    }
    co_return out;
}

async::Task<CreationOptions> Passkeys::creation_options(Mine who) {
    const auto actor = who.actor();
    const auto person = *actor.person;
    auto me = co_await parts_.identity.me(actor);
    if (!me) co_return fail(std::move(me.error()));
    CreationOptions out;
    out.account = std::move(me->email);
    auto known = co_await known_credentials(person);
    if (!known) co_return fail(std::move(known.error()));
    out.known = std::move(*known);
    const auto keep = [person,
                       fresh = crypto::random_bytes(k_user_handle_bytes)](store::Transaction& tx) {
        return rows::keep_user_handle(tx, person, fresh);
    };
    auto handle = co_await parts_.database.write(keep);
    if (!handle) co_return fail(std::move(handle.error()));
    out.user_handle = std::move(*handle);
    auto challenge = co_await new_challenge(ChallengePurpose::add, actor.proof);
    if (!challenge) co_return fail(std::move(challenge.error()));
    out.challenge = std::move(*challenge);
    co_return out;
}

/// Errors: invalid_passkey, with the reason as its detail.
async::Task<FactorRow> Passkeys::sealed_row(Mine who, NewPasskey made, RelyingParty party) {
    const auto actor = who.actor();
    auto challenge =
        co_await take_challenge(ChallengePurpose::add, actor.proof, made.client_data_json);
    if (!challenge) co_return fail(std::move(challenge.error()));
    if (!*challenge) co_return fail(IdentityError::invalid_passkey, "challenge_unknown");
    webauthn::Expected expected{std::move(**challenge), std::move(party.origins),
                                std::move(party.id), false};
    auto credential = webauthn::check_registration(
        primitives_, expected, {made.client_data_json, made.attestation_object});
    if (!credential) {
        co_return fail(IdentityError::invalid_passkey, std::string(credential.error().code()));
    }
    FactorRow row;
    row.created_at_ms = row.confirmed_at_ms = row.used_at_ms = parts_.clock.now_ms();
    row.id = FactorId::make(row.created_at_ms);
    row.person = *actor.person;
    row.kind = FactorKind::passkey;
    row.credential_hash = crypto::sha256(credential->id);
    row.sign_count = credential->sign_count;
    PasskeyRecord record{row.person,
                         std::move(credential->id),
                         std::move(credential->public_key),
                         to_bytes(credential->aaguid),
                         credential->backup_eligible,
                         credential->user_verified,
                         std::move(made.transports)};
    auto secret = Secret::copy_of(keys::encode_record(std::move(record)));
    co_return co_await seal_factor(&parts_.keeper, std::move(row), std::move(made.name),
                                   std::move(secret));
}

async::Task<Passkeys::Stored> Passkeys::store_new(Mine who,
                                                  NewPasskey made,
                                                  RelyingParty party,
                                                  std::vector<crypto::Hash> recovery_codes) {
    const auto actor = who.actor();
    auto row = co_await sealed_row(who, std::move(made), std::move(party));
    if (!row) co_return fail(std::move(row.error()));
    const auto body = [actor, row = *row, hashes = std::move(recovery_codes)](
                          store::Transaction& tx) { return store_passkey(tx, actor, row, hashes); };
    audit::Act act{by(actor), "factor.added", {}};
    act.about = {{"factor_id", row->id.text()}, {"kind", "passkey"}};
    std::string what = "a passkey was added";
    auto is_first = co_await record_and_tell(&parts_.identity, &parts_.audit, row->person,
                                             std::move(act), std::move(what), body);
    if (!is_first) co_return fail(std::move(is_first.error()));
    co_return Stored{std::move(*row), *is_first};
}

async::Task<Confirmed> Passkeys::add(Mine who, NewPasskey made, RelyingParty party) {
    if (!is_name(made.name)) co_return fail(IdentityError::invalid_name);
    auto name = made.name;
    auto codes = make_recovery_codes();
    auto stored = co_await store_new(who, std::move(made), std::move(party), codes.hashes);
    if (!stored && stored.error().is(IdentityError::invalid_passkey)) {
        audit::Act act{by(who.actor()), "factor.refused", {{"kind", "passkey"}}};
        auto noted =
            co_await note_refused(std::move(act), *who.actor().person, stored.error().detail());
        if (!noted) co_return fail(std::move(noted.error()));
    }
    if (!stored) co_return fail(std::move(stored.error()));
    const auto& row = stored->row;
    Confirmed out{{row.id, row.kind, std::move(name), row.created_at_ms, row.used_at_ms}, {}};
    if (stored->is_first) {
        out.recovery_codes = std::move(codes.texts);
        parts_.identity.note_ending();
    }
    co_return out;
}

async::Task<> Passkeys::note_refused(audit::Act act, PersonId person, std::string reason) {
    act.about.push_back({"reason", std::move(reason)});
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    co_return co_await record_of_person(&parts_.identity, &parts_.audit, person, std::move(act),
                                        nothing);
}

}  // namespace postern::identity
