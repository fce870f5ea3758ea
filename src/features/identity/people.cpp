#include "features/identity/people.h"

#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/people_error.h"
#include "features/identity/people_store.h"
#include "features/identity/place_change.h"
#include "features/identity/policy.h"
#include "features/identity/sealed_texts.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

constexpr auto k_kept_column = data_map::past_memberships::address.value;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

Member member_of(const MemberRow& row, std::string email) {
    const auto& place = row.membership;
    return {place.person,        std::move(email), place.role,          place.is_suspended,
            place.created_at_ms, place.since_ms,   row.signed_in_at_ms, row.has_factor};
}

}  // namespace

async::Task<std::vector<Member>> People::members(WorkspaceId workspace) {
    const auto load = [workspace](store::Transaction& tx) {
        return rows::list_members(tx, workspace);
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<keys::Record> sealed;
    for (auto& row : *found) {
        sealed.push_back({data_map::people::address.value, crypto::row_key(row.membership.person),
                          std::move(row.address).take()});
    }
    auto emails = co_await open_texts(&parts_.keeper, k_installation, std::move(sealed));
    if (!emails) co_return fail(std::move(emails.error()));
    std::vector<Member> out;
    for (std::size_t i = 0; i < found->size(); ++i)
        out.push_back(member_of((*found)[i], std::move((*emails)[i])));
    co_return out;
}

async::Task<std::map<PersonId, std::string>> People::addresses(std::vector<PersonId> people) {
    std::ranges::sort(people);
    const auto doubles = std::ranges::unique(people);
    people.erase(doubles.begin(), doubles.end());
    const auto load = [people](store::Transaction& tx) -> Result<std::vector<PersonRow>> {
        std::vector<PersonRow> out;
        for (const auto person : people) {
            POSTERN_TRY(auto row, rows::find_person(tx, person));
            if (row) out.push_back(std::move(*row));
        }
        return out;
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<keys::Record> sealed;
    for (auto& row : *found) {
        sealed.push_back({data_map::people::address.value, crypto::row_key(row.id),
                          std::move(row.address).take()});
    }
    auto emails = co_await open_texts(&parts_.keeper, k_installation, std::move(sealed));
    if (!emails) co_return fail(std::move(emails.error()));
    std::map<PersonId, std::string> out;
    for (std::size_t i = 0; i < found->size(); ++i)
        out.emplace((*found)[i].id, std::move((*emails)[i]));
    co_return out;
}

async::Task<std::vector<Member>> People::list(See who) {
    const auto workspace = who.actor().workspace;
    co_return co_await members(workspace);
}

async::Task<PersonRow> People::find(WorkspaceId workspace, PersonId person) {
    const auto load = [workspace, person](store::Transaction& tx) -> Result<PersonRow> {
        POSTERN_TRY(const auto place, rows::find_membership(tx, workspace, person));
        POSTERN_TRY(const auto row, rows::find_person(tx, person));
        if (!place || !row) return fail(PeopleError::person_not_found);
        return *row;
    };
    co_return co_await parts_.database.read(load);
}

async::Task<store::SealedBytes> People::kept_address(WorkspaceId workspace, PersonRow person) {
    auto row = crypto::row_key(person.id);
    auto email = co_await parts_.identity.open_address(std::move(person));
    if (!email) co_return fail(std::move(email.error()));
    auto sealed = co_await keys::seal_record(&parts_.keeper, workspace, k_kept_column,
                                             std::move(row), to_bytes(*email), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    co_return store::SealedBytes(std::move(*sealed));
}

async::Task<Member> People::change(Manage who, PersonId person, Change change) {
    const auto actor = who.actor();
    if (change.role && !may_give(actor, *change.role)) {
        co_return fail(IdentityError::beyond_own_rights);
    }
    auto row = co_await find(actor.workspace, person);
    if (!row) co_return fail(std::move(row.error()));
    auto kept = co_await kept_address(actor.workspace, std::move(*row));
    if (!kept) co_return fail(std::move(kept.error()));
    audit::Act act{by(actor), "membership.changed", {{"person_id", person.text()}}};
    if (change.role) act.about.push_back({"role", std::string(name_of(*change.role))});
    if (change.is_suspended) {
        act.about.push_back({"state", *change.is_suspended ? "suspended" : "active"});
    }
    PlaceChange ask{.workspace = actor.workspace,
                    .person = person,
                    .role = change.role,
                    .is_suspended = change.is_suspended,
                    .ends = false,
                    .kept_address = std::move(*kept),
                    .now_ms = parts_.clock.now_ms()};
    const auto body = [ask = std::move(ask)](store::Transaction& tx) {
        return store_place_change(tx, ask);
    };
    auto changed = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (!changed) co_return fail(std::move(changed.error()));
    parts_.identity.note_ending();
    auto all = co_await members(actor.workspace);
    if (!all) co_return fail(std::move(all.error()));
    const auto now = std::ranges::find(*all, person, &Member::id);
    if (now == all->end()) co_return fail(PeopleError::person_not_found);
    co_return std::move(*now);
}

async::Task<> People::end_place(Actor actor, PersonId person, bool is_leaving) {
    auto row = co_await find(actor.workspace, person);
    if (!row) co_return fail(std::move(row.error()));
    auto kept = co_await kept_address(actor.workspace, std::move(*row));
    if (!kept) co_return fail(std::move(kept.error()));
    const auto action = is_leaving ? PublicText("membership.left") : PublicText("membership.ended");
    audit::Act act{by(actor), action, {{"person_id", person.text()}}};
    PlaceChange ask{.workspace = actor.workspace,
                    .person = person,
                    .role = {},
                    .is_suspended = {},
                    .ends = true,
                    .kept_address = std::move(*kept),
                    .now_ms = parts_.clock.now_ms()};
    const auto body = [ask = std::move(ask)](store::Transaction& tx) {
        return store_place_change(tx, ask);
    };
    auto ended = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (ended) parts_.identity.note_ending();
    co_return ended;
}

async::Task<> People::end_sessions(Manage who, PersonId person) {
    const auto actor = who.actor();
    const auto body = [workspace = actor.workspace, person](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto place, rows::find_membership(tx, workspace, person));
        if (!place) return fail(PeopleError::person_not_found);
        return rows::delete_sessions(tx, person);
    };
    audit::Act act{by(actor), "person.sessions_ended", {{"person_id", person.text()}}};
    auto ended = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (ended) parts_.identity.note_ending();
    co_return ended;
}

async::Task<> People::end_all_sessions(Manage who) {
    const auto actor = who.actor();
    const auto body = [workspace = actor.workspace, kept = actor.proof](store::Transaction& tx) {
        return rows::delete_peoples_sessions(tx, workspace, kept);
    };
    audit::Act act{by(actor), "workspace.sessions_ended", {}};
    auto ended = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (ended) parts_.identity.note_ending();
    co_return ended;
}

async::Task<> People::end(Manage who, PersonId person) {
    co_return co_await end_place(who.actor(), person, false);
}

async::Task<> People::leave(Authorized<Permission::leave_workspace> who) {
    const auto actor = who.actor();
    co_return co_await end_place(actor, *actor.person, true);
}

async::Task<std::vector<OwnPlace>> People::places(PersonId person) {
    struct Place {
        Membership membership;
        WorkspaceRow workspace;
    };
    const auto load = [person](store::Transaction& tx) -> Result<std::vector<Place>> {
        POSTERN_TRY(const auto found, rows::list_memberships(tx, person));
        std::vector<Place> out;
        for (const auto& membership : found) {
            if (membership.is_suspended) continue;
            POSTERN_TRY(auto workspace, rows::find_workspace(tx, membership.workspace));
            if (workspace) out.push_back({membership, std::move(*workspace)});
        }
        return out;
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<OwnPlace> out;
    for (auto& place : *found) {
        auto workspace = co_await parts_.identity.open_workspace(std::move(place.workspace));
        if (!workspace) co_return fail(std::move(workspace.error()));
        out.push_back({std::move(*workspace), place.membership.role});
    }
    co_return out;
}

async::Task<Workspace> People::create_workspace(Join who, std::string name) {
    if (!is_name(name)) co_return fail(IdentityError::invalid_workspace_name);
    const auto actor = who.actor();
    auto made = co_await parts_.identity.new_workspace(name, false);
    if (!made) co_return fail(std::move(made.error()));
    const auto row = std::move(*made);
    const auto now = row.created_at_ms;
    const Membership place{row.id, *actor.person, Role::owner, now, now};
    const auto body = [row, place](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto owner, rows::find_person(tx, place.person));
        if (!owner || owner->managed_in) return fail(PeopleError::managed);
        POSTERN_TRY(const auto all, rows::list_memberships(tx, place.person));
        if (std::ranges::count_if(all, is_owner) >= k_owned_workspaces_max) {
            return fail(PeopleError::too_many_workspaces);
        }
        if (auto stored = rows::insert_workspace(tx, row); !stored) return stored;
        return rows::insert_membership(tx, place);
    };
    audit::Act act{by(actor), "workspace.created", {}};
    auto stored = co_await parts_.audit.record(row.id, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    Workspace out;
    out.id = row.id;
    out.name = std::move(name);
    co_return out;
}

async::Task<AccessReport> People::access(Authorized<Permission::see_access> who, UnixMs since_ms) {
    const auto workspace = who.actor().workspace;
    AccessReport out;
    auto people = co_await members(workspace);
    if (!people) co_return fail(std::move(people.error()));
    out.people = std::move(*people);
    auto open = co_await open_invitations(workspace);
    if (!open) co_return fail(std::move(open.error()));
    out.invitations = std::move(*open);
    struct Rows {
        std::optional<WorkspaceRow> workspace;
        std::vector<PastMembership> past;
    };
    const auto load = [workspace, since_ms](store::Transaction& tx) -> Result<Rows> {
        Rows rows;
        POSTERN_TRY(rows.workspace, rows::find_workspace(tx, workspace));
        POSTERN_TRY(rows.past, rows::list_past_memberships(tx, workspace, since_ms));
        return rows;
    };
    auto found = co_await parts_.database.read(load);
    if (!found) co_return fail(std::move(found.error()));
    if (!found->workspace) co_return fail(IdentityError::no_workspace);
    std::vector<keys::Record> sealed;
    for (auto& row : found->past) {
        sealed.push_back(
            {k_kept_column, crypto::row_key(row.person), std::move(row.address).take()});
    }
    auto emails = co_await open_texts(&parts_.keeper, workspace, std::move(sealed));
    if (!emails) co_return fail(std::move(emails.error()));
    for (std::size_t i = 0; i < found->past.size(); ++i) {
        const auto& row = found->past[i];
        out.past.push_back({row.person, std::move((*emails)[i]), row.role, row.from_ms, row.to_ms});
    }
    const auto& about = *found->workspace;
    out.reviewed_at_ms = about.access_reviewed_at_ms;
    const auto last = std::max(about.access_reviewed_at_ms, about.created_at_ms);
    out.due_at_ms = last + k_access_review_s * 1000;
    co_return out;
}

async::Task<> People::confirm_access(Manage who) {
    const auto actor = who.actor();
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace = actor.workspace, now](store::Transaction& tx) {
        return rows::note_access_review(tx, workspace, now);
    };
    audit::Act act{by(actor), "access.reviewed", {}};
    co_return co_await parts_.audit.record(actor.workspace, std::move(act), body);
}

}  // namespace postern::identity
