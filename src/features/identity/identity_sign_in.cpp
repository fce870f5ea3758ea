#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/throttle.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
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

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
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
    std::transform(email.begin(), email.end(), email.begin(), lower);
    co_return co_await keys::compute_mac(&parts_.keeper, k_installation,
                                         keys::MacPurpose::person_address, to_bytes(email),
                                         keeper_deadline());
}

/// Counted before the password is looked at, so that many tries at once are not one try.
async::Task<> Identity::count_attempt(Bytes address) {
    const auto now = parts_.clock.now_ms();
    const auto body = [address = std::move(address), now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto attempts, rows::load_attempts(tx, address));
        const auto left_ms = attempts.blocked_until_ms - now;
        if (attempts.failed >= k_free_attempts && left_ms > 0) {
            return fail(
                Error(IdentityError::too_many_attempts).with_retry_after((left_ms + 999) / 1000));
        }
        ++attempts.failed;
        attempts.blocked_until_ms = now + pause_after_attempt_s(attempts.failed) * 1000;
        auto pruned = rows::delete_old_attempts(tx, now - k_attempts_kept_s * 1000);
        if (!pruned) return pruned;
        return rows::store_attempts(tx, address, attempts);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Identity::take_back_attempt(Bytes address) {
    const auto now = parts_.clock.now_ms();
    const auto body = [address = std::move(address), now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto attempts, rows::load_attempts(tx, address));
        if (attempts.failed == 0) return {};
        --attempts.failed;
        attempts.blocked_until_ms = now + pause_after_attempt_s(attempts.failed) * 1000;
        return rows::store_attempts(tx, address, attempts);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<std::string> Identity::password_hash(std::optional<PersonRow> person, Bytes address) {
    if (!person) {
        // As much work at keeper as for somebody who exists.
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

async::Task<NewSession> Identity::store_session(PersonId person, Bytes address) {
    auto bearer = make_bearer(k_session_prefix);
    const auto now = parts_.clock.now_ms();
    const SessionRow row{bearer.hash, person, now, now + k_session_s * 1000};
    const auto body = [row, address = std::move(address)](store::Transaction& tx) -> Result<> {
        if (auto done = rows::delete_attempts(tx, address); !done) return done;
        if (auto done = rows::delete_expired_sessions(tx, row.created_at_ms); !done) return done;
        return rows::insert_session(tx, row);
    };
    auto stored = co_await parts_.database.write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return NewSession{person, row.expires_at_ms, std::move(bearer.text)};
}

async::Task<NewSession> Identity::sign_in(std::string email, Secret password) {
    if (email.size() > k_email_bytes_max) email.resize(k_email_bytes_max);
    auto prepared = co_await prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto address = co_await address_token(std::move(email));
    if (!address) co_return fail(std::move(address.error()));
    auto counted = co_await count_attempt(*address);
    if (!counted) co_return fail(std::move(counted.error()));

    const auto body = [address = *address](store::Transaction& tx) {
        return rows::find_person(tx, address);
    };
    auto person = co_await parts_.database.read(body);
    if (!person) co_return fail(std::move(person.error()));
    auto known = std::move(*person);
    const bool exists = known.has_value();
    const auto id = known ? known->id : PersonId();
    auto hash = co_await password_hash(std::move(known), *address);
    if (!hash) co_return fail(std::move(hash.error()));
    auto work = [hash = std::move(*hash), password = std::move(password)]() -> Result<bool> {
        return crypto::verify_password(hash, password);
    };
    auto matches = co_await parts_.passwords.run(std::move(work));
    if (!matches) {
        // It was not looked at: no try of anybody's.
        (void)co_await take_back_attempt(*address);
        co_return fail(std::move(matches.error()));
    }
    if (!exists || !*matches) co_return fail(IdentityError::invalid_credentials);
    co_return co_await store_session(id, std::move(*address));
}

async::Task<> Identity::sign_out(Actor actor) {
    const auto body = [proof = actor.proof](store::Transaction& tx) {
        return rows::delete_session(tx, proof);
    };
    co_return co_await parts_.database.write(body);
}

}  // namespace postern::identity
