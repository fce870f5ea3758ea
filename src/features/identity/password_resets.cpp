#include "features/identity/password_resets.h"

#include "features/identity/actor.h"
#include "features/identity/attempts.h"
#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "features/identity/letters.h"
#include "features/identity/password_change.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/password_rules.h"
#include "features/identity/people_error.h"
#include "features/identity/people_store.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

constexpr std::size_t k_email_bytes_max = 254;

/// How often links are asked for: counted apart from passwords.
Bytes asked_key(const Bytes& address_token) {
    auto text = to_bytes("links of ");
    text.insert(text.end(), address_token.begin(), address_token.end());
    return to_bytes(crypto::sha256(text));
}

/// What asking changes, for somebody or for nobody.
struct Asked {
    Bytes key;
    std::optional<ResetRow> reset;
    own_mail::Enclosed letter;
    UnixMs now_ms = 0;
};

Result<> store_asked(store::Transaction& tx, const Asked& asked) {
    auto counted = count_attempt(tx, asked.key, asked.now_ms);
    // Too often: nothing is sent, and nobody is told.
    if (!counted && counted.error().is(IdentityError::too_many_attempts)) return {};
    if (!counted) return fail(std::move(counted.error()));
    if (!asked.reset) return {};
    if (auto stored = rows::insert_reset(tx, *asked.reset, asked.now_ms); !stored) return stored;
    return own_mail::OwnMail::put(tx, asked.letter);
}

/// Nobody chooses a password for somebody who also works where they have no say.
Result<PersonRow> load_own(store::Transaction& tx, WorkspaceId workspace, PersonId id) {
    POSTERN_TRY(const auto place, rows::find_membership(tx, workspace, id));
    POSTERN_TRY(const auto person, rows::find_person(tx, id));
    if (!place || !person) return fail(PeopleError::person_not_found);
    if (person->managed_in) return fail(PeopleError::managed);
    return *person;
}

Result<> check_works_here_only(store::Transaction& tx, WorkspaceId workspace, PersonId id) {
    POSTERN_TRY(const auto places, rows::list_memberships(tx, id));
    const bool only = std::ranges::all_of(
        places, [workspace](const auto& one) { return one.workspace == workspace; });
    if (!only) return fail(PeopleError::works_elsewhere);
    return {};
}

}  // namespace

Result<> store_link_used(store::Transaction& tx, const LinkUsed& used) {
    POSTERN_TRY(const auto reset, rows::find_reset(tx, used.link, used.now_ms));
    if (!reset) return fail(PeopleError::reset_invalid);
    const auto person = reset->person;
    POSTERN_TRY(const auto replaced, rows::replace_password(tx, used.password));
    // Another change came between.
    if (replaced == 0) return fail(async::AsyncError::busy);
    auto done = rows::delete_resets(tx, person);
    if (done) done = rows::delete_sessions(tx, person);
    if (done) done = rows::delete_attempts(tx, used.address_token);
    if (done && reset->ends_factors) done = rows::delete_factors(tx, person);
    if (done && reset->ends_factors) done = rows::replace_recovery_codes(tx, person, {});
    if (done) done = own_mail::OwnMail::put(tx, used.letter);
    return done;
}

Secret link_with(const std::string& page, const Secret& token) {
    std::string text;
    text.reserve(page.size() + token.size() + 16);
    text.append(page).append("?token=");
    token.with_bytes([&text](ByteView bytes) { text.append(as_text(bytes)); });
    return Secret::take(text);
}

Result<> PasswordResets::count_asking(const std::string& from) {
    const auto wait_s = asked_.take(network_of(from), parts_.clock.now_ms());
    if (wait_s > 0) return fail(Error(async::AsyncError::busy).with_retry_after(wait_s));
    return {};
}

async::Task<> PasswordResets::ask(std::string email, std::string page, std::string from) {
    if (!parts_.mail.is_set_up()) co_return fail(PeopleError::no_mail);
    if (auto counted = count_asking(from); !counted) co_return fail(std::move(counted.error()));
    if (email.size() > k_email_bytes_max) email.resize(k_email_bytes_max);
    auto prepared = co_await parts_.identity.prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto address = co_await parts_.identity.address_token(email);
    if (!address) co_return fail(std::move(address.error()));
    const auto load = [address = *address](store::Transaction& tx) {
        return rows::find_person(tx, address);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    const auto id = *found ? (*found)->id : PersonId();
    auto works = co_await parts_.identity.works_somewhere(id);
    if (!works) co_return fail(std::move(works.error()));
    auto chains = co_await parts_.identity.workspaces_of(id);
    if (!chains) co_return fail(std::move(chains.error()));
    if (chains->empty()) chains->push_back(k_installation);

    const auto bearer = make_bearer(k_reset_prefix);
    const auto link = link_with(page, bearer.text);
    auto to = co_await stored_address(std::move(*found), std::move(email));
    if (!to) co_return fail(std::move(to.error()));
    auto letter = co_await parts_.mail.enclose(letters::password_link(std::move(*to), link));
    if (!letter) co_return fail(std::move(letter.error()));
    Asked asked;
    asked.key = asked_key(*address);
    asked.now_ms = parts_.clock.now_ms();
    if (*works) {
        asked.reset = ResetRow{bearer.hash, id, false, asked.now_ms + k_reset_s * 1000};
        asked.letter = std::move(*letter);
    }
    audit::Act act{{audit::By::Kind::nobody, {}, std::move(from)}, "password.link_asked", {}};
    if (!id.is_null()) act.about.push_back({"person_id", id.text()});
    const auto body = [asked = std::move(asked)](store::Transaction& tx) {
        return store_asked(tx, asked);
    };
    auto stored = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (stored) parts_.mail.wake();
    co_return stored;
}

/// To where a person has said that they are, however it was typed now; for nobody the same work.
async::Task<std::string> PasswordResets::stored_address(std::optional<PersonRow> person,
                                                        std::string typed) {
    if (person) co_return co_await parts_.identity.open_address(std::move(*person));
    auto ignored = co_await parts_.identity.address_token(typed);
    if (!ignored) co_return fail(std::move(ignored.error()));
    co_return typed;
}

async::Task<std::optional<Secret>> PasswordResets::ask_for(
    Authorized<Permission::reset_passwords> who, PersonId person, std::string page) {
    const auto actor = who.actor();
    const bool by_mail = parts_.mail.is_set_up();
    const auto load = [workspace = actor.workspace, person,
                       by_mail](store::Transaction& tx) -> Result<PersonRow> {
        POSTERN_TRY(const auto row, load_own(tx, workspace, person));
        if (by_mail) return row;
        if (auto here = check_works_here_only(tx, workspace, person); !here) {
            return fail(std::move(here.error()));
        }
        return row;
    };
    auto row = co_await parts_.database.read(load);
    if (!row) co_return fail(std::move(row.error()));
    auto email = co_await parts_.identity.open_address(std::move(*row));
    if (!email) co_return fail(std::move(email.error()));
    const auto bearer = make_bearer(k_reset_prefix);
    auto link = link_with(page, bearer.text);
    auto letter = co_await parts_.mail.enclose(letters::password_link(std::move(*email), link));
    if (!letter) co_return fail(std::move(letter.error()));
    const auto now = parts_.clock.now_ms();
    const ResetRow reset{bearer.hash, person, false, now + k_reset_s * 1000};
    const auto body = [reset, letter = std::move(*letter), workspace = actor.workspace, by_mail,
                       now](store::Transaction& tx) -> Result<> {
        if (!by_mail) {
            auto here = check_works_here_only(tx, workspace, reset.person);
            if (!here) return here;
        }
        if (auto stored = rows::insert_reset(tx, reset, now); !stored) return stored;
        return own_mail::OwnMail::put(tx, letter);
    };
    audit::Act act{by(actor), "password.link_made", {{"person_id", person.text()}}};
    auto stored = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    parts_.mail.wake();
    if (by_mail) co_return std::optional<Secret>();
    co_return std::optional<Secret>(std::move(link));
}

async::Task<PersonRow> PasswordResets::find(std::string email) {
    auto address = co_await parts_.identity.address_token(std::move(email));
    if (!address) co_return fail(std::move(address.error()));
    const auto load = [address = std::move(*address)](store::Transaction& tx) -> Result<PersonRow> {
        POSTERN_TRY(const auto person, rows::find_person(tx, address));
        if (!person) return fail(PeopleError::person_not_found);
        return *person;
    };
    co_return co_await parts_.database.read(load);
}

async::Task<std::vector<own_mail::Enclosed>> PasswordResets::letters_to_owners(
    std::vector<WorkspaceId> workspaces, std::string about) {
    const auto load = [workspaces = std::move(workspaces)](
                          store::Transaction& tx) -> Result<std::vector<PersonRow>> {
        std::vector<PersonRow> owners;
        for (const auto& workspace : workspaces) {
            POSTERN_TRY(const auto members, rows::list_members(tx, workspace));
            for (const auto& [place, address, signed_in, factor] : members) {
                const bool is_told =
                    is_owner(place) && std::ranges::none_of(owners, [&place](const auto& one) {
                        return one.id == place.person;
                    });
                if (!is_told) continue;
                POSTERN_TRY(const auto person, rows::find_person(tx, place.person));
                if (person) owners.push_back(*person);
            }
        }
        return owners;
    };
    auto owners = co_await parts_.database.read(load);
    if (!owners) co_return fail(std::move(owners.error()));
    std::vector<own_mail::Enclosed> out;
    for (auto& owner : *owners) {
        auto to = co_await parts_.identity.open_address(std::move(owner));
        if (!to) co_return fail(std::move(to.error()));
        auto letter = co_await parts_.mail.enclose(
            letters::recovery(std::move(*to), about, parts_.clock.now_ms()));
        if (!letter) co_return fail(std::move(letter.error()));
        out.push_back(std::move(*letter));
    }
    co_return out;
}

async::Task<Secret> PasswordResets::recover(std::string email) {
    auto person = co_await find(email);
    if (!person) co_return fail(std::move(person.error()));
    const auto id = person->id;
    auto chains = co_await parts_.identity.workspaces_of(id);
    if (!chains) co_return fail(std::move(chains.error()));
    auto letters = co_await letters_to_owners(*chains, std::move(email));
    if (!letters) co_return fail(std::move(letters.error()));
    auto bearer = make_bearer(k_reset_prefix);
    const auto now = parts_.clock.now_ms();
    const ResetRow reset{bearer.hash, id, true, now + k_reset_s * 1000};
    const auto body = [reset, letters = std::move(*letters),
                       now](store::Transaction& tx) -> Result<> {
        auto done = rows::insert_reset(tx, reset, now);
        for (const auto& letter : letters) {
            if (done) done = own_mail::OwnMail::put(tx, letter);
        }
        return done;
    };
    if (chains->empty()) chains->push_back(k_installation);
    audit::Act act{audit::by_host(), "person.recovery_link_made", {{"person_id", id.text()}}};
    auto stored = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    parts_.mail.wake();
    co_return std::move(bearer.text);
}

async::Task<ResetRow> PasswordResets::find_reset(std::string token) {
    const auto hash = hash_of_bearer(k_reset_prefix, token);
    wipe(token.data(), token.size());
    if (!hash) co_return fail(PeopleError::reset_invalid);
    const auto load = [hash = *hash,
                       now = parts_.clock.now_ms()](store::Transaction& tx) -> Result<ResetRow> {
        POSTERN_TRY(const auto row, rows::find_reset(tx, hash, now));
        if (!row) return fail(PeopleError::reset_invalid);
        return *row;
    };
    co_return co_await parts_.database.read(load);
}

async::Task<> PasswordResets::look_at(std::string token) {
    auto row = co_await find_reset(std::move(token));
    if (!row) co_return fail(std::move(row.error()));
    co_return Result<>{};
}

async::Task<> PasswordResets::use(std::string token, Secret password, std::string from) {
    auto reset = co_await find_reset(std::move(token));
    if (!reset) co_return fail(std::move(reset.error()));
    const auto id = reset->person;
    const auto load = [id](store::Transaction& tx) { return rows::find_person(tx, id); };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    if (!*found) co_return fail(PeopleError::reset_invalid);
    const auto person = **found;
    auto email = co_await parts_.identity.open_address(person);
    if (!email) co_return fail(std::move(email.error()));
    const auto fit = check_new_password(password, {.address = *email, .workspace = {}});
    if (!fit) co_return fail(fit.error());
    auto sealed = co_await parts_.identity.new_password(id, std::move(password));
    if (!sealed) co_return fail(std::move(sealed.error()));
    LinkUsed used;
    used.link = reset->token_hash;
    used.password = {id, person.password, std::move(*sealed)};
    used.address_token = person.address_token;
    used.now_ms = parts_.clock.now_ms();
    auto letter =
        co_await parts_.mail.enclose(letters::password_changed(std::move(*email), used.now_ms));
    if (!letter) co_return fail(std::move(letter.error()));
    used.letter = std::move(*letter);
    auto chains = co_await parts_.identity.workspaces_of(id);
    if (!chains) co_return fail(std::move(chains.error()));
    audit::Act act{by(id, std::move(from)), "password.reset", {}};
    if (reset->ends_factors) act.about.push_back({"state", "second_factors_ended"});
    const auto body = [used = std::move(used)](store::Transaction& tx) {
        return store_link_used(tx, used);
    };
    auto stored = co_await parts_.audit.record(std::move(*chains), std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    parts_.identity.note_ending();
    parts_.mail.wake();
    co_return Result<>{};
}

}  // namespace postern::identity
