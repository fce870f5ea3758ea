#include "features/identity/second_factors.h"

#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/audited.h"
#include "features/identity/factor_seal.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/persons_record.h"
#include "features/identity/recovery_codes.h"
#include "features/identity/session_proof.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base32.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/one_time_code.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity {

namespace {

Result<PersonId> person_of(const Actor& actor) {
    if (!actor.person) return fail(IdentityError::person_needed);
    return *actor.person;
}

/// As it is typed from a screen or from paper.
std::string without_spaces(std::string_view code) {
    std::string out;
    out.reserve(code.size());
    std::ranges::copy_if(code, std::back_inserter(out),
                         [](char c) { return c != ' ' && c != '-'; });
    return out;
}

bool is_time_code(std::string_view code) {
    return code.size() == crypto::k_one_time_digits &&
           std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view k_digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        const auto byte = static_cast<unsigned char>(c);
        if (is_plain) {
            out += c;
        } else {
            out.append({'%', k_digits[byte >> 4U], k_digits[byte & 15U]});
        }
    }
    return out;
}

/// The form that authenticator apps agree on:
/// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
Secret key_uri(const std::string& account, const Secret& key) {
    auto text = "otpauth://totp/Postern:" + percent_encoded(account) + "?issuer=Postern&secret=";
    text.reserve(text.size() + key.size());
    key.with_bytes([&](ByteView bytes) { text.append(as_text(bytes)); });
    return Secret::take(text);
}

Factor factor_of(const FactorRow& row, std::string name) {
    return {row.id, row.kind, std::move(name), row.created_at_ms, row.used_at_ms};
}

/// Confirmed now, by the code that was shown.
struct Confirmation {
    FactorId id;
    std::int64_t step = 0;
    std::vector<crypto::Hash> recovery_codes;
};

/// True where these recovery codes count: it was the first factor.
Result<bool> store_confirmed(store::Transaction& tx,
                             const Actor& actor,
                             const Confirmation& confirmed,
                             UnixMs now_ms) {
    const auto person = *actor.person;
    POSTERN_TRY(const bool had_one, rows::has_factor(tx, person));
    POSTERN_TRY(const bool taken, rows::take_step(tx, confirmed.id, confirmed.step, now_ms));
    if (!taken) return fail(IdentityError::invalid_code);
    return show_new_factor(tx, actor, {had_one, confirmed.recovery_codes}, now_ms);
}

Result<> remove_factor(store::Transaction& tx, PersonId person, FactorId id, UnixMs now_ms) {
    POSTERN_TRY(const auto removed, rows::delete_factor(tx, person, id));
    if (removed == 0) return fail(IdentityError::factor_not_found);
    POSTERN_TRY(const bool has_other, rows::has_factor(tx, person));
    if (has_other) return {};
    POSTERN_TRY(const bool must, rows::must_have_factor(tx, person, now_ms));
    if (must) return fail(IdentityError::last_factor);
    return rows::replace_recovery_codes(tx, person, {});
}

}  // namespace

template <store::Body F>
async::Task<store::BodyValue<F>> SecondFactors::record(Actor actor,
                                                       PublicText action,
                                                       std::vector<audit::Field> about,
                                                       F body) {
    audit::Act act{by(actor), action, std::move(about)};
    co_return co_await record_of_person(&parts_.identity, &parts_.audit, *actor.person,
                                        std::move(act), std::move(body));
}

template <store::Body F>
async::Task<store::BodyValue<F>> SecondFactors::record_and_tell(Actor actor, Told told, F body) {
    audit::Act act{by(actor), told.action, std::move(told.about)};
    co_return co_await identity::record_and_tell(&parts_.identity, &parts_.audit, *actor.person,
                                                 std::move(act), std::move(told.what),
                                                 std::move(body));
}

async::Task<> SecondFactors::count(PersonId person) {
    const auto now = parts_.clock.now_ms();
    const auto body = [key = attempts_key(person), now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto pause_s, count_attempt(tx, key, now));
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Task<Enrolment> SecondFactors::enrolment(See who) {
    const auto person = *who.actor().person;
    Enrolment out;
    const auto load = [person](store::Transaction& tx) { return rows::list_factors(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    for (const auto& row : *found) {
        if (row.confirmed_at_ms == 0) continue;
        auto name = co_await open_factor_name(&parts_.keeper, row);
        if (!name) co_return fail(std::move(name.error()));
        out.factors.push_back(factor_of(row, std::move(*name)));
    }
    const auto count_codes = [person](store::Transaction& tx) {
        return rows::count_recovery_codes(tx, person);
    };
    auto left = co_await parts_.database.read(count_codes);
    if (!left) co_return fail(std::move(left.error()));
    out.recovery_codes_left = *left;
    co_return out;
}

async::Task<NewFactor> SecondFactors::begin(Mine who, std::string name) {
    const auto person = *who.actor().person;
    if (!is_name(name)) co_return fail(IdentityError::invalid_name);
    auto me = co_await parts_.identity.me(who.actor());
    if (!me) co_return fail(std::move(me.error()));
    const auto key = crypto::random_secret(crypto::k_one_time_key_bytes);
    FactorRow blank;
    blank.created_at_ms = parts_.clock.now_ms();
    blank.id = FactorId::make(blank.created_at_ms);
    blank.person = person;
    auto secret = key.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    auto row =
        co_await seal_factor(&parts_.keeper, std::move(blank), std::move(name), std::move(secret));
    if (!row) co_return fail(std::move(row.error()));
    const auto body = [row = *row](store::Transaction& tx) -> Result<> {
        auto pruned = rows::delete_unconfirmed_factors(tx, row.person,
                                                       row.created_at_ms - k_unconfirmed_s * 1000);
        if (!pruned) return pruned;
        POSTERN_TRY(const auto present, rows::list_factors(tx, row.person));
        if (present.size() >= k_factors_max) return fail(IdentityError::too_many_factors);
        return rows::insert_factor(tx, row);
    };
    auto stored = co_await parts_.database.write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    auto text = key.with_bytes([](ByteView bytes) { return codec::base32(bytes); });
    NewFactor made{row->id, Secret::take(text), {}};
    made.uri = key_uri(me->email, made.key);
    co_return made;
}

async::Task<Confirmed> SecondFactors::confirm(Mine who, FactorId id, std::string code) {
    const auto actor = who.actor();
    const auto person = *actor.person;
    auto counted = co_await count(person);
    if (!counted) co_return fail(std::move(counted.error()));
    const auto load = [person, id](store::Transaction& tx) {
        return rows::find_factor(tx, person, id);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    const auto row = std::move(*found);
    const auto now = parts_.clock.now_ms();
    const bool waits = row && row->confirmed_at_ms == 0 &&
                       now - row->created_at_ms <= k_unconfirmed_s * 1000 &&
                       !is_of_later(row->created_at_ms, now);
    if (!waits) co_return fail(IdentityError::factor_not_found);
    auto key = co_await open_factor_secret(&parts_.keeper, *row);
    if (!key) co_return fail(std::move(key.error()));
    const auto step = crypto::match_time_code(*key, without_spaces(code), crypto::time_step_at(now),
                                              row->last_step);
    if (!step) co_return fail(IdentityError::invalid_code);
    auto codes = make_recovery_codes();
    const Confirmation confirmation{id, *step, codes.hashes};
    const auto body = [actor, confirmation, now](store::Transaction& tx) {
        return store_confirmed(tx, actor, confirmation, now);
    };
    Told told{"factor.added",
              {{"factor_id", id.text()}, {"kind", "totp"}},
              "an authenticator app was added"};
    auto is_first = co_await record_and_tell(actor, std::move(told), body);
    if (!is_first) co_return fail(std::move(is_first.error()));
    auto name = co_await open_factor_name(&parts_.keeper, *row);
    if (!name) co_return fail(std::move(name.error()));
    Confirmed out{factor_of(*row, std::move(*name)), {}};
    out.factor.used_at_ms = now;
    if (*is_first) {
        out.recovery_codes = std::move(codes.texts);
        parts_.identity.note_ending();
    }
    co_return out;
}

async::Task<> SecondFactors::remove(Mine who, FactorId id) {
    const auto person = *who.actor().person;
    const auto now = parts_.clock.now_ms();
    const auto body = [person, id, now](store::Transaction& tx) {
        return remove_factor(tx, person, id, now);
    };
    Told told{"factor.deleted", {{"factor_id", id.text()}}, "a second factor was deleted"};
    co_return co_await record_and_tell(who.actor(), std::move(told), body);
}

async::Task<std::vector<Secret>> SecondFactors::new_recovery_codes(Mine who) {
    const auto person = *who.actor().person;
    auto codes = make_recovery_codes();
    const auto body = [person, hashes = codes.hashes](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const bool has_one, rows::has_factor(tx, person));
        if (!has_one) return fail(IdentityError::factor_not_found);
        return rows::replace_recovery_codes(tx, person, hashes);
    };
    Told told{"recovery_codes.made", {}, "new recovery codes were made"};
    auto stored = co_await record_and_tell(who.actor(), std::move(told), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return std::move(codes.texts);
}

async::Task<NewSession> SecondFactors::take_time_code(Actor actor, std::string code) {
    const auto person = *actor.person;
    const auto load = [person](store::Transaction& tx) { return rows::list_factors(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    const auto now = parts_.clock.now_ms();
    std::optional<std::pair<FactorId, std::int64_t>> taken;
    for (const auto& row : *found) {
        if (row.confirmed_at_ms == 0 || row.kind != FactorKind::totp) continue;
        auto key = co_await open_factor_secret(&parts_.keeper, row);
        if (!key) co_return fail(std::move(key.error()));
        const auto step =
            crypto::match_time_code(*key, code, crypto::time_step_at(now), row.last_step);
        if (step && !taken) taken.emplace(row.id, *step);
    }
    if (!taken) co_return fail(IdentityError::invalid_code);
    SessionText text(actor);
    const auto body = [actor, taken = *taken, hash = text.hash(),
                       now](store::Transaction& tx) -> Result<SessionRow> {
        POSTERN_TRY(const bool first, rows::take_step(tx, taken.first, taken.second, now));
        if (!first) return fail(IdentityError::invalid_code);
        return prove_session(tx, actor, {.factor = true}, hash, now);
    };
    std::vector<audit::Field> about{{"factor_id", taken->first.text()}};
    auto proven = co_await record(actor, "session.proven", std::move(about), body);
    if (!proven) co_return fail(std::move(proven.error()));
    co_return text.session(*proven);
}

async::Task<NewSession> SecondFactors::take_recovery_code(Actor actor, std::string code) {
    const auto hash = recovery_hash(code);
    wipe(code.data(), code.size());
    if (!hash) co_return fail(IdentityError::invalid_code);
    const auto now = parts_.clock.now_ms();
    SessionText text(actor);
    const auto body = [actor, code = *hash, hash = text.hash(),
                       now](store::Transaction& tx) -> Result<SessionRow> {
        POSTERN_TRY(const bool taken, rows::take_recovery_code(tx, *actor.person, code));
        if (!taken) return fail(IdentityError::invalid_code);
        return prove_session(tx, actor, {.factor = true}, hash, now);
    };
    Told told{"recovery_code.used", {}, "a recovery code was used"};
    auto proven = co_await record_and_tell(actor, std::move(told), body);
    if (!proven) co_return fail(std::move(proven.error()));
    co_return text.session(*proven);
}

async::Task<NewSession> SecondFactors::show_code(Self who, std::string code) {
    const auto actor = who.actor();
    const auto person = person_of(actor);
    if (!person) co_return fail(person.error());
    auto counted = co_await count(*person);
    if (!counted) co_return fail(std::move(counted.error()));
    auto plain = without_spaces(code);
    wipe(code.data(), code.size());
    auto taken = is_time_code(plain) ? take_time_code(actor, std::move(plain))
                                     : take_recovery_code(actor, std::move(plain));
    auto shown = co_await std::move(taken);
    if (!shown && shown.error().is(IdentityError::invalid_code)) {
        const auto nothing = [](store::Transaction&) { return Result<>{}; };
        std::vector<audit::Field> about;
        auto noted = co_await record(actor, "session.proof_refused", std::move(about), nothing);
        if (!noted) co_return fail(std::move(noted.error()));
    }
    co_return std::move(shown);
}

async::Task<NewSession> SecondFactors::show_password(Self who, Secret password) {
    const auto actor = who.actor();
    const auto person = person_of(actor);
    if (!person) co_return fail(person.error());
    const auto look = [person = *person](store::Transaction& tx) {
        return rows::has_factor(tx, person);
    };
    auto has_factor = co_await parts_.database.read(look);
    if (!has_factor) co_return fail(std::move(has_factor.error()));
    if (*has_factor) co_return fail(IdentityError::second_factor_needed);
    auto checked = co_await parts_.identity.check_password(*person, std::move(password));
    if (!checked && checked.error().is(IdentityError::invalid_credentials)) {
        const auto nothing = [](store::Transaction&) { return Result<>{}; };
        std::vector<audit::Field> wrong{{"with", "password"}};
        auto noted = co_await record(actor, "session.proof_refused", std::move(wrong), nothing);
        if (!noted) co_return fail(std::move(noted.error()));
    }
    if (!checked) co_return fail(std::move(checked.error()));
    const auto now = parts_.clock.now_ms();
    SessionText text(actor);
    const auto body = [actor, hash = text.hash(), now](store::Transaction& tx) {
        return prove_session(tx, actor, {.password = true}, hash, now);
    };
    std::vector<audit::Field> about{{"with", "password"}};
    auto proven = co_await record(actor, "session.proven", std::move(about), body);
    if (!proven) co_return fail(std::move(proven.error()));
    co_return text.session(*proven);
}

}  // namespace postern::identity
