#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/letters.h"
#include "features/identity/password_resets.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/password_rules.h"
#include "features/identity/people.h"
#include "features/identity/people_error.h"
#include "features/identity/people_store.h"
#include "features/identity/policy.h"
#include "features/identity/sealed_texts.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/address.h"
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
#include <vector>

namespace postern::identity {

namespace {

constexpr auto k_address_column = store::data_map::store::invitations::address.value;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// Whether the address works there already, or there is no room for one more.
Result<> check_room(store::Transaction& tx, WorkspaceId workspace, const Bytes& address_token) {
    POSTERN_TRY(const auto person, rows::find_person(tx, address_token));
    if (person) {
        POSTERN_TRY(const auto place, rows::find_membership(tx, workspace, person->id));
        if (place) return fail(PeopleError::already_member);
    }
    POSTERN_TRY(const auto members, rows::count_members(tx, workspace));
    if (members >= k_people_max) return fail(PeopleError::too_many_people);
    return {};
}

Result<> store_invitation(store::Transaction& tx, const InvitationRow& row) {
    if (auto room = check_room(tx, row.workspace, row.address_token); !room) return room;
    auto cleared = rows::delete_invitations(tx, row.workspace, row.address_token);
    if (!cleared) return cleared;
    POSTERN_TRY(const auto open, rows::list_invitations(tx, row.workspace, row.created_at_ms));
    if (static_cast<std::int64_t>(open.size()) >= k_people_max) {
        return fail(PeopleError::too_many_people);
    }
    return rows::insert_invitation(tx, row);
}

struct Joining {
    InvitationRow invitation;
    PersonRow person;
    bool is_new = false;
    UnixMs now_ms = 0;
};

Result<> join_in(store::Transaction& tx, const Joining& ask) {
    const auto& row = ask.invitation;
    POSTERN_TRY(const auto still, rows::find_invitation(tx, row.token_hash, ask.now_ms));
    if (!still) return fail(PeopleError::invitation_invalid);
    if (auto room = check_room(tx, row.workspace, row.address_token); !room) return room;
    if (ask.is_new) {
        // Another invitation to the same address was accepted at the same moment.
        POSTERN_TRY(const auto other, rows::find_person(tx, row.address_token));
        if (other) return fail(async::AsyncError::busy);
        if (auto stored = rows::insert_person(tx, ask.person); !stored) return stored;
    } else {
        POSTERN_TRY(const auto known, rows::find_person(tx, ask.person.id));
        if (!known) return fail(PeopleError::invitation_invalid);
    }
    if (auto gone = rows::delete_invitations(tx, row.workspace, row.address_token); !gone) {
        return gone;
    }
    // A link that an owner elsewhere has would reach into this workspace, too.
    if (auto gone = rows::delete_resets(tx, ask.person.id); !gone) return gone;
    return rows::insert_membership(
        tx, {row.workspace, ask.person.id, row.role, ask.now_ms, ask.now_ms});
}

}  // namespace

Result<> People::count_mailed(const Actor& actor, const Bytes& address_token) {
    const auto now = parts_.clock.now_ms();
    const auto inviter = actor.person ? actor.person : actor.maker;
    auto wait_s = mailed_by_.take(inviter ? inviter->text() : std::string(), now);
    if (wait_s == 0) wait_s = mailed_to_.take(codec::hex(address_token), now);
    if (wait_s == 0) return {};
    return fail(Error(IdentityError::too_many_attempts).with_retry_after(wait_s));
}

async::Task<Invitation> People::invite(Manage who, Wish wish) {
    const auto actor = who.actor();
    if (!may_give(actor, wish.role)) co_return fail(IdentityError::beyond_own_rights);
    const auto email = codec::EmailAddress::parse(wish.email);
    if (!email) co_return fail(IdentityError::invalid_email);
    const bool is_mailed = wish.is_mailed.value_or(parts_.mail.is_set_up());
    if (is_mailed && !parts_.mail.is_set_up()) co_return fail(PeopleError::no_mail);
    // Else whoever may invite could become whoever they like, before the one who has the address.
    if (!is_mailed && parts_.mail.is_set_up()) co_return fail(PeopleError::goes_by_mail);
    auto prepared = co_await parts_.identity.prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto bearer = make_bearer(k_invitation_prefix);
    InvitationRow row;
    row.token_hash = bearer.hash;
    row.id = wish.id;
    row.workspace = actor.workspace;
    row.role = wish.role;
    row.invited_by = actor.person ? actor.person : actor.maker;
    row.created_at_ms = parts_.clock.now_ms();
    row.expires_at_ms = row.created_at_ms + k_invitation_s * 1000;
    auto token = co_await parts_.identity.address_token(email->text());
    if (!token) co_return fail(std::move(token.error()));
    row.address_token = std::move(*token);
    if (is_mailed) {
        auto counted = count_mailed(actor, row.address_token);
        if (!counted) co_return fail(std::move(counted.error()));
    }
    auto sealed = co_await keys::seal_record(&parts_.keeper, k_installation, k_address_column,
                                             crypto::row_key(row.id), to_bytes(email->text()),
                                             keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.address = store::SealedBytes(std::move(*sealed));
    Invitation out{
        row.id, email->text(), row.role, row.invited_by, row.created_at_ms, row.expires_at_ms, {}};
    audit::Act act{by(actor), "invitation.made", {{"invitation_id", row.id.text()}}};
    act.about.push_back({"role", std::string(name_of(row.role))});
    auto link = link_with(wish.page, bearer.text);
    own_mail::Enclosed letter;
    if (is_mailed) {
        auto enclosed = co_await enclose_invitation(actor.workspace, &out, &link);
        if (!enclosed) co_return fail(std::move(enclosed.error()));
        letter = std::move(*enclosed);
    }
    const auto body = [row = std::move(row),
                       letter = std::move(letter)](store::Transaction& tx) -> Result<> {
        if (auto stored = store_invitation(tx, row); !stored) return stored;
        return own_mail::OwnMail::put(tx, letter);
    };
    auto stored = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    parts_.mail.wake();
    if (!is_mailed) out.link = std::move(link);
    co_return out;
}

async::Task<own_mail::Enclosed> People::enclose_invitation(WorkspaceId workspace,
                                                           const Invitation* invitation,
                                                           const Secret* link) {
    auto known = co_await parts_.identity.workspace(workspace);
    if (!known) co_return fail(std::move(known.error()));
    auto letter =
        letters::invitation(invitation->email, known->name, name_of(invitation->role), *link);
    co_return co_await parts_.mail.enclose(std::move(letter));
}

async::Task<std::vector<Invitation>> People::open_invitations(WorkspaceId workspace) {
    const auto load = [workspace, now = parts_.clock.now_ms()](store::Transaction& tx) {
        return rows::list_invitations(tx, workspace, now);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<keys::Record> sealed;
    for (auto& row : *found) {
        sealed.push_back(
            {k_address_column, crypto::row_key(row.id), std::move(row.address).take()});
    }
    auto emails = co_await open_texts(&parts_.keeper, k_installation, std::move(sealed));
    if (!emails) co_return fail(std::move(emails.error()));
    std::vector<Invitation> out;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto& row = (*found)[i];
        out.push_back({row.id,
                       std::move((*emails)[i]),
                       row.role,
                       row.invited_by,
                       row.created_at_ms,
                       row.expires_at_ms,
                       {}});
    }
    co_return out;
}

async::Task<std::vector<Invitation>> People::invitations(See who) {
    const auto workspace = who.actor().workspace;
    co_return co_await open_invitations(workspace);
}

async::Task<> People::withdraw(Manage who, InvitationId id) {
    const auto actor = who.actor();
    const auto body = [workspace = actor.workspace, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto deleted, rows::delete_invitation(tx, workspace, id));
        if (deleted == 0) return fail(PeopleError::invitation_not_found);
        return {};
    };
    audit::Act act{by(actor), "invitation.withdrawn", {{"invitation_id", id.text()}}};
    co_return co_await parts_.audit.record(actor.workspace, std::move(act), body);
}

async::Task<InvitationRow> People::find_invitation(std::string token) {
    const auto hash = hash_of_bearer(k_invitation_prefix, token);
    wipe(token.data(), token.size());
    if (!hash) co_return fail(PeopleError::invitation_invalid);
    const auto load = [hash = *hash, now = parts_.clock.now_ms()](
                          store::Transaction& tx) -> Result<InvitationRow> {
        POSTERN_TRY(auto row, rows::find_invitation(tx, hash, now));
        if (!row) return fail(PeopleError::invitation_invalid);
        return std::move(*row);
    };
    co_return co_await parts_.database.read(load);
}

async::Task<std::string> People::invited_address(InvitationRow row) {
    auto opened = co_await keys::open_record(&parts_.keeper, k_installation, k_address_column,
                                             crypto::row_key(row.id), std::move(row.address).take(),
                                             keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<Offer> People::look_at(std::string token) {
    auto row = co_await find_invitation(std::move(token));
    if (!row) co_return fail(std::move(row.error()));
    Offer out;
    out.role = row->role;
    auto workspace = co_await parts_.identity.workspace(row->workspace);
    if (!workspace) co_return fail(std::move(workspace.error()));
    out.workspace = std::move(workspace->name);
    auto email = co_await invited_address(std::move(*row));
    if (!email) co_return fail(std::move(email.error()));
    out.email = std::move(*email);
    co_return out;
}

async::Task<Joined> People::store_joining(InvitationRow row,
                                          PersonRow person,
                                          bool is_new,
                                          std::string from) {
    const Joined out{row.workspace, person.id, row.role};
    audit::Act act{by(person.id, std::move(from)), "membership.began", {}};
    act.about = {{"invitation_id", row.id.text()}, {"role", std::string(name_of(row.role))}};
    Joining ask{std::move(row), std::move(person), is_new, parts_.clock.now_ms()};
    const auto body = [ask = std::move(ask)](store::Transaction& tx) { return join_in(tx, ask); };
    auto stored = co_await parts_.audit.record(out.workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return out;
}

async::Task<Joined> People::accept(std::string token, Secret password, std::string from) {
    auto found = co_await find_invitation(std::move(token));
    if (!found) co_return fail(std::move(found.error()));
    auto row = std::move(*found);
    const auto load = [address = row.address_token](store::Transaction& tx) {
        return rows::find_person(tx, address);
    };
    auto known = co_await parts_.database.read(load);
    if (!known) co_return fail(std::move(known.error()));
    // With all that they show when they sign in, and not by a password alone.
    if (*known) co_return fail(PeopleError::sign_in_first);
    auto workspace = co_await parts_.identity.workspace(row.workspace);
    if (!workspace) co_return fail(std::move(workspace.error()));
    auto email = co_await invited_address(row);
    if (!email) co_return fail(std::move(email.error()));
    const auto fit =
        check_new_password(password, {.address = *email, .workspace = workspace->name});
    if (!fit) co_return fail(fit.error());
    auto person = co_await parts_.identity.new_person(std::move(*email), std::move(password));
    if (!person) co_return fail(std::move(person.error()));
    co_return co_await store_joining(std::move(row), std::move(*person), true, std::move(from));
}

async::Task<Joined> People::join(Join who, std::string token) {
    const auto actor = who.actor();
    auto found = co_await find_invitation(std::move(token));
    if (!found) co_return fail(std::move(found.error()));
    const auto load = [id = *actor.person](store::Transaction& tx) {
        return rows::find_person(tx, id);
    };
    auto known = co_await parts_.database.read(load);
    if (!known) co_return fail(std::move(known.error()));
    if (!*known) co_return fail(IdentityError::unauthenticated);
    auto person = std::move(**known);
    if (person.managed_in) co_return fail(PeopleError::managed);
    if (person.address_token != found->address_token) {
        co_return fail(PeopleError::other_address);
    }
    auto from = actor.from ? actor.from->text() : std::string();
    co_return co_await store_joining(std::move(*found), std::move(person), false, std::move(from));
}

}  // namespace postern::identity
