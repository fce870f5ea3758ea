#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/audited.h"
#include "features/identity/client.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "features/identity/letters.h"
#include "features/identity/names.h"
#include "features/identity/persons_record.h"
#include "features/identity/session_proof.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

/// Longer ones are nobody's: no more of one is looked at.
constexpr std::size_t k_email_bytes_max = 254;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

}  // namespace

std::string dummy_password_hash(crypto::Argon2Cost cost) {
    constexpr std::size_t k_salt_characters = 22;
    constexpr std::size_t k_hash_characters = 43;
    return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) +
           ",t=" + std::to_string(cost.passes) + ",p=1$" + std::string(k_salt_characters, 'A') +
           "$" + std::string(k_hash_characters, 'A');
}

async::Task<Bytes> Identity::address_token(std::string email) {
    const auto folded = folded_address(std::move(email));
    co_return co_await keys::compute_mac(&parts_.keeper, k_installation,
                                         keys::MacPurpose::person_address, to_bytes(folded),
                                         keeper_deadline());
}

async::Task<std::int64_t> Identity::count(Bytes key) {
    const auto now = parts_.clock.now_ms();
    const auto body = [key = std::move(key), now](store::Transaction& tx) {
        return count_attempt(tx, key, now);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Identity::take_back(Bytes key) {
    const auto now = parts_.clock.now_ms();
    const auto body = [key = std::move(key), now](store::Transaction& tx) {
        return take_back_attempt(tx, key, now);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<std::string> Identity::password_hash(std::optional<PersonRow> person, Bytes address) {
    if (!person || person->managed_in) {
        // As much work at keeper as for somebody who has one.
        auto ignored = co_await keys::compute_mac(&parts_.keeper, k_installation,
                                                  keys::MacPurpose::person_address,
                                                  std::move(address), keeper_deadline());
        if (!ignored) co_return fail(std::move(ignored.error()));
        co_return dummy_hash_;
    }
    auto opened = co_await keys::open_record(
        &parts_.keeper, k_installation, data_map::people::password.value,
        crypto::row_key(person->id), std::move(person->password).take(), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<NewSession> Identity::store_session(Verified verified, Bytes address, Client client) {
    const auto now = parts_.clock.now_ms();
    const auto person = verified.person;
    const auto from = client.address;
    auto begun = co_await begin_session(this, &parts_.keeper, person, std::move(client), now);
    if (!begun) co_return fail(std::move(begun.error()));
    auto session = begun->row;
    session.password_at_ms = now;
    audit::Act act{by(person, from), "session.started", {}};
    act.about = {{"session_id", session.id.text()}};
    const auto body = [session, verified = std::move(verified), address = std::move(address),
                       news =
                           std::move(begun->news)](store::Transaction& tx) -> Result<NewSession> {
        if (auto kept = keep_verified(tx, verified); !kept) return fail(std::move(kept.error()));
        auto row = session;
        NewSession made;
        POSTERN_TRY(made.needs_factor, rows::has_factor(tx, row.person));
        row.expires_at_ms =
            row.created_at_ms + (made.needs_factor ? k_half_session_s : k_session_s) * 1000;
        auto stored = rows::delete_attempts(tx, address);
        if (stored) stored = store_begun(tx, row, news);
        if (!stored) return fail(std::move(stored.error()));
        made.person = row.person;
        made.expires_at_ms = row.expires_at_ms;
        return made;
    };
    auto stored = co_await record_of_person(this, &parts_.audit, person, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    parts_.mail.wake();
    stored->text = std::move(begun->bearer.text);
    co_return std::move(*stored);
}

async::Task<ClientNews> Identity::news_of_client(PersonId person, Client client) {
    ClientNews news;
    if (!parts_.mail.is_set_up()) co_return news;
    const auto load = [person](store::Transaction& tx) { return rows::find_person(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    if (!*found) co_return fail(IdentityError::invalid_credentials);
    auto email = co_await open_address(std::move(**found));
    if (!email) co_return fail(std::move(email.error()));
    const auto now = parts_.clock.now_ms();
    auto letter = co_await parts_.mail.enclose(letters::signed_in(std::move(*email), client, now));
    if (!letter) co_return fail(std::move(letter.error()));
    auto token = co_await client_token(&parts_.keeper, person, std::move(client));
    if (!token) co_return fail(std::move(token.error()));
    news.letter = std::move(*letter);
    news.client = std::move(*token);
    co_return news;
}

async::Task<own_mail::Enclosed> Identity::enclose_notice(PersonId person, std::string what) {
    if (!parts_.mail.is_set_up()) co_return own_mail::Enclosed();
    const auto load = [person](store::Transaction& tx) { return rows::find_person(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    if (!*found) co_return fail(IdentityError::unauthenticated);
    auto email = co_await open_address(std::move(**found));
    if (!email) co_return fail(std::move(email.error()));
    auto letter = letters::factors_changed(std::move(*email), what, parts_.clock.now_ms());
    auto enclosed = co_await parts_.mail.enclose(std::move(letter));
    parts_.mail.wake();
    co_return enclosed;
}

async::Task<bool> Identity::works_somewhere(PersonId person) {
    const auto load = [person](store::Transaction& tx) {
        return rows::list_memberships(tx, person);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    co_return std::ranges::any_of(*found, [](const auto& one) { return !one.is_suspended; });
}

/// The same work for somebody who does not exist: theirs stands in the installation's record.
async::Task<> Identity::note_refused_sign_in(PersonId person,
                                             std::string from,
                                             std::int64_t pause_s) {
    audit::Act act{{audit::By::Kind::nobody, {}, std::move(from)}, "session.refused", {}};
    if (!person.is_null()) act.about.push_back({"person_id", person.text()});
    if (pause_s > 0) act.about.push_back({"pause_s", std::to_string(pause_s)});
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    co_return co_await record_of_person(this, &parts_.audit, person, std::move(act), nothing);
}

async::Task<NewSession> Identity::sign_in(std::string email, Secret password, Client client) {
    const auto place = network_of(client.address);
    const auto now = parts_.clock.now_ms();
    // Taken before anything is looked at, so that many tries at once are not one try.
    if (const auto wait_s = wrong_passwords_.take(place, now); wait_s > 0) {
        co_return fail(Error(IdentityError::too_many_attempts).with_retry_after(wait_s));
    }
    auto made = co_await try_sign_in(std::move(email), std::move(password), std::move(client));
    const bool is_wrong = !made && made.error().is(IdentityError::invalid_credentials);
    if (!is_wrong) wrong_passwords_.give_back(place, now);
    if (is_wrong && wrong_passwords_.is_spent(place)) log(LogLevel::warning, "sign_ins_paused");
    co_return std::move(made);
}

async::Task<NewSession> Identity::try_sign_in(std::string email, Secret password, Client client) {
    if (email.size() > k_email_bytes_max) email.resize(k_email_bytes_max);
    auto prepared = co_await prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto address = co_await address_token(std::move(email));
    if (!address) co_return fail(std::move(address.error()));
    auto counted = co_await count(*address);
    if (!counted) co_return fail(std::move(counted.error()));

    const auto body = [address = *address](store::Transaction& tx) {
        return rows::find_person(tx, address);
    };
    auto person = co_await parts_.database.read(body);
    if (!person) co_return fail(std::move(person.error()));
    auto known = std::move(*person);
    const auto id = known ? known->id : PersonId();
    auto verified = co_await verify_password(std::move(known), std::move(password), *address);
    if (verified) {
        auto works = co_await works_somewhere(id);
        if (!works) co_return fail(std::move(works.error()));
        if (!*works) verified = fail(IdentityError::invalid_credentials);
    }
    if (!verified && verified.error().is(IdentityError::invalid_credentials)) {
        auto noted = co_await note_refused_sign_in(id, client.address, *counted);
        if (!noted) co_return fail(std::move(noted.error()));
    }
    if (!verified) co_return fail(std::move(verified.error()));
    co_return co_await store_session(std::move(*verified), std::move(*address), std::move(client));
}

async::Task<> Identity::check_password(PersonId person, Secret password) {
    const auto key = attempts_key(person);
    auto counted = co_await count(key);
    if (!counted) co_return fail(std::move(counted.error()));
    const auto load = [person](store::Transaction& tx) { return rows::find_person(tx, person); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    auto known = std::move(*found);
    auto verified = co_await verify_password(std::move(known), std::move(password), key);
    if (!verified) co_return fail(std::move(verified.error()));
    co_return Result<>{};
}

async::Task<> Identity::sign_out(Actor actor) {
    const auto body = [proof = actor.proof](store::Transaction& tx) {
        return rows::delete_session(tx, proof);
    };
    audit::Act act{by(actor), "session.ended", {}};
    auto ended = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (ended) ++endings_;
    co_return ended;
}

}  // namespace postern::identity
