#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/client.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_sign_in.h"
#include "features/identity/provider_store.h"
#include "features/identity/session_proof.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/jose/id_token.h"
#include "foundation/codec/mail/address.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity {

namespace people = store::data_map::store::people;

namespace {

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// The address, where the provider may bring people with it.
std::optional<codec::EmailAddress> welcome_address(const Provider& provider,
                                                   const jose::IdToken& token) {
    if (!token.email_is_verified) return std::nullopt;
    auto address = codec::EmailAddress::parse(token.email);
    if (!address) return std::nullopt;
    const auto& domains = provider.settings.domains;
    const bool is_welcome = std::any_of(domains.begin(), domains.end(), [&](const auto& domain) {
        return codec::is_same_address(domain, address->domain());
    });
    if (!is_welcome) return std::nullopt;
    return std::move(*address);
}

Result<bool> is_member(store::Transaction& tx, PersonId person, WorkspaceId workspace) {
    POSTERN_TRY(const auto memberships, rows::list_memberships(tx, person));
    return std::any_of(memberships.begin(), memberships.end(), [&](const Membership& membership) {
        return membership.workspace == workspace && !membership.is_suspended;
    });
}

struct NewPerson {
    PersonRow person;
    Bytes everywhere;  ///< as somebody with a password has this address
    Membership membership;
    LinkRow link;
};

/// Whose subject it is by now, or the new person's. Errors: address_taken.
Result<PersonId> store_person(store::Transaction& tx, const NewPerson& made) {
    const auto workspace = made.membership.workspace;
    POSTERN_TRY(const auto known, rows::find_link(tx, workspace, made.link.subject_token));
    if (known) return known->person;
    POSTERN_TRY(const auto managed, rows::find_person(tx, made.person.address_token));
    if (managed) return fail(ProviderError::address_taken);
    POSTERN_TRY(const auto other, rows::find_person(tx, made.everywhere));
    if (other) {
        POSTERN_TRY(const bool is_here, is_member(tx, other->id, workspace));
        if (is_here) return fail(ProviderError::address_taken);
    }
    if (auto done = rows::insert_person(tx, made.person); !done) return fail(done.error());
    if (auto done = rows::insert_membership(tx, made.membership); !done) return fail(done.error());
    if (auto done = rows::insert_link(tx, made.link); !done) return fail(done.error());
    return made.person.id;
}

struct NewRow {
    SessionRow session;
    ClientNews news;
    WorkspaceId workspace;
    Bytes subject;
};

/// Provider, link and membership are looked at where the session begins: what ended meanwhile
/// begins none.
Result<NewSession> store_session(store::Transaction& tx, const NewRow& made) {
    auto row = made.session;
    POSTERN_TRY(const auto provider, rows::find_provider(tx, *row.provider));
    if (!provider || !provider->is_on) return fail(ProviderError::turned_off);
    POSTERN_TRY(const auto link, rows::find_link(tx, made.workspace, made.subject));
    if (!link || link->person != row.person) return fail(ProviderError::nobody_here);
    POSTERN_TRY(const bool is_here, is_member(tx, row.person, made.workspace));
    if (!is_here) return fail(ProviderError::not_a_member);
    NewSession out;
    POSTERN_TRY(out.needs_factor, rows::has_factor(tx, row.person));
    row.expires_at_ms =
        row.created_at_ms + (out.needs_factor ? k_half_session_s : k_session_s) * 1000;
    if (auto stored = store_begun(tx, row, made.news); !stored) {
        return fail(std::move(stored.error()));
    }
    out.person = row.person;
    out.expires_at_ms = row.expires_at_ms;
    return out;
}

/// The session that a link or a proof was asked for in. Errors: session_over.
Result<SessionRow> asking_session(store::Transaction& tx,
                                  const ProviderSignInRow& row,
                                  UnixMs now_ms) {
    if (!row.session) return fail(ProviderError::session_over);
    POSTERN_TRY(const auto session, rows::find_session(tx, *row.session));
    if (!session || is_over(*session, now_ms)) return fail(ProviderError::session_over);
    return *session;
}

audit::Act act_of(audit::By by, PublicText action, const Provider& provider) {
    audit::Act act{std::move(by), action, {}};
    act.about = {{"provider_id", provider.row.id.text()}};
    return act;
}

}  // namespace

async::Task<Bytes> ProviderSignIn::subject_token(const Arrival* arrival) {
    // Neither part has a NUL.
    auto value = arrival->token.issuer;
    value.push_back('\0');
    value.append(arrival->token.subject);
    co_return co_await keys::compute_mac(&parts_.keeper, arrival->provider.row.workspace,
                                         keys::MacPurpose::person_address, to_bytes(value),
                                         keeper_deadline());
}

async::Task<PersonId> ProviderSignIn::known_or_new(const Arrival* arrival, std::string from) {
    const auto workspace = arrival->provider.row.workspace;
    const auto body = [workspace, subject = arrival->subject](store::Transaction& tx) {
        return rows::find_link(tx, workspace, subject);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    const auto link = std::move(*found);
    if (link) co_return link->person;
    co_return co_await make_person(arrival, std::move(from));
}

async::Task<PersonId> ProviderSignIn::make_person(const Arrival* arrival, std::string from) {
    const auto& provider = arrival->provider;
    const auto workspace = provider.row.workspace;
    const auto address = welcome_address(provider, arrival->token);
    if (!address) co_return fail(ProviderError::nobody_here);
    const auto now = parts_.clock.now_ms();
    NewPerson made;
    auto& person = made.person;
    person.id = PersonId::make(now);
    person.created_at_ms = now;
    person.managed_in = workspace;
    // Theirs is no address of the whole installation: it keeps nobody from having it elsewhere, and
    // tells nobody who has it there.
    const auto folded = folded_address(address->text());
    auto here = workspace.text();
    here.push_back('\0');
    here.append(folded);
    keys::ComputeMacs macs;
    macs.workspace = k_installation;
    macs.purpose = keys::MacPurpose::person_address;
    macs.values = {to_bytes(here), to_bytes(folded)};
    auto tokens = co_await parts_.keeper.call(std::move(macs), keeper_deadline());
    if (!tokens) co_return fail(std::move(tokens.error()));
    if (tokens->macs.size() != 2) co_return fail(keys::KeyError::cannot_open);
    person.address_token = std::move(tokens->macs[0]);
    made.everywhere = std::move(tokens->macs[1]);
    keys::SealRecords seals;
    seals.workspace = k_installation;
    const auto row = crypto::row_key(person.id);
    seals.records.push_back({people::address.value, row, to_bytes(address->text())});
    seals.records.push_back({people::password.value, row, Bytes()});
    auto sealed = co_await parts_.keeper.call(std::move(seals), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    if (sealed->contents.size() != 2) co_return fail(keys::KeyError::cannot_open);
    person.address = store::SealedBytes(std::move(sealed->contents[0]));
    person.password = store::SealedBytes(std::move(sealed->contents[1]));
    made.membership = {workspace, person.id, provider.row.default_role, now, now};
    made.link = {workspace, arrival->subject, LinkId::make(now), person.id, provider.row.id};

    auto act = act_of({audit::By::Kind::nobody, {}, std::move(from)}, "person.added", provider);
    act.about.push_back({"person_id", person.id.text()});
    act.about.push_back({"role", std::string(name_of(provider.row.default_role))});
    const auto body = [made = std::move(made)](store::Transaction& tx) {
        return store_person(tx, made);
    };
    co_return co_await parts_.audit.record(workspace, std::move(act), body);
}

async::Task<NewSession> ProviderSignIn::start_session(const Arrival* arrival,
                                                      PersonId person,
                                                      Client client) {
    const auto& provider = arrival->provider;
    const auto now = parts_.clock.now_ms();
    const auto from = client.address;
    auto begun =
        co_await begin_session(&parts_.identity, &parts_.keeper, person, std::move(client), now);
    if (!begun) co_return fail(std::move(begun.error()));
    NewRow made;
    made.workspace = provider.row.workspace;
    made.subject = arrival->subject;
    made.session = std::move(begun->row);
    made.news = std::move(begun->news);
    made.session.provider_at_ms = now;
    made.session.provider = provider.row.id;
    auto act = act_of(by(person, from), "session.started", provider);
    act.about.push_back({"session_id", made.session.id.text()});
    const auto workspace = made.workspace;
    const auto body = [made = std::move(made)](store::Transaction& tx) {
        return store_session(tx, made);
    };
    auto stored = co_await parts_.audit.record(workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    stored->text = std::move(begun->bearer.text);
    co_return std::move(*stored);
}

async::Task<> ProviderSignIn::link(const Arrival* arrival, std::string from) {
    const auto& provider = arrival->provider;
    const auto now = parts_.clock.now_ms();
    const auto look = [row = arrival->row, now](store::Transaction& tx) {
        return asking_session(tx, row, now);
    };
    auto asking = co_await parts_.database.read(look);
    if (!asking) co_return fail(std::move(asking.error()));
    const LinkRow made{provider.row.workspace, arrival->subject, LinkId::make(now), asking->person,
                       provider.row.id};
    const auto body = [made, row = arrival->row, now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto session, asking_session(tx, row, now));
        POSTERN_TRY(const bool is_here, is_member(tx, session.person, made.workspace));
        if (!is_here) return fail(ProviderError::not_a_member);
        POSTERN_TRY(const auto known, rows::find_link(tx, made.workspace, made.subject_token));
        if (known && known->person != made.person) return fail(ProviderError::linked_to_another);
        if (known) return {};
        return rows::insert_link(tx, made);
    };
    auto act = act_of(by(asking->person, std::move(from)), "provider.linked", provider);
    act.about.push_back({"link_id", made.id.text()});
    co_return co_await parts_.audit.record(made.workspace, std::move(act), body);
}

async::Task<> ProviderSignIn::prove(const Arrival* arrival, std::string from) {
    const auto& provider = arrival->provider;
    const auto now = parts_.clock.now_ms();
    const auto workspace = provider.row.workspace;
    const auto look = [workspace, subject = arrival->subject](store::Transaction& tx) {
        return rows::find_link(tx, workspace, subject);
    };
    auto found = co_await parts_.database.read(look);
    if (!found) co_return fail(std::move(found.error()));
    const auto link = std::move(*found);
    if (!link) co_return fail(ProviderError::somebody_else);
    const auto body = [row = arrival->row, person = link->person,
                       now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto session, asking_session(tx, row, now));
        if (session.person != person || session.provider != row.provider) {
            return fail(ProviderError::somebody_else);
        }
        session.provider_at_ms = now;
        POSTERN_TRY(const bool is_there, rows::update_session(tx, session));
        if (!is_there) return fail(ProviderError::session_over);
        return {};
    };
    auto act = act_of(by(link->person, std::move(from)), "session.proven", provider);
    co_return co_await parts_.audit.record(workspace, std::move(act), body);
}

async::Task<> ProviderSignIn::note_refused(const Arrival* arrival,
                                           std::string reason,
                                           std::string from) {
    const auto& provider = arrival->provider;
    auto act = act_of({audit::By::Kind::nobody, {}, std::move(from)}, "session.refused", provider);
    act.about.push_back({"purpose", std::string(name_of(arrival->row.purpose))});
    act.about.push_back({"reason", std::move(reason)});
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    co_return co_await parts_.audit.record(provider.row.workspace, std::move(act), nothing);
}

}  // namespace postern::identity
