#include "features/identity/identity.h"

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// Keeper counts openings per handle; a hash's first bytes are as good a name as any.
std::uint64_t handle_of(const crypto::Hash& hash) {
    std::uint64_t handle = 0;
    std::memcpy(&handle, hash.data(), sizeof handle);
    return handle;
}

Actor actor_of(const TokenRow& row) {
    Actor actor;
    actor.workspace = row.workspace;
    actor.role = row.role;
    actor.token = row.id;
    actor.proof = row.token_hash;
    actor.handle = handle_of(row.token_hash);
    return actor;
}

struct SessionFacts {
    SessionRow session;
    std::vector<Membership> memberships;
};

Result<SessionFacts> load_session(store::Transaction& tx, const crypto::Hash& hash, UnixMs now_ms) {
    POSTERN_TRY(const auto session, rows::find_session(tx, hash));
    if (!session || session->expires_at_ms <= now_ms) return fail(IdentityError::unauthenticated);
    SessionFacts facts{*session, {}};
    POSTERN_TRY(facts.memberships, rows::list_memberships(tx, session->person));
    return facts;
}

Result<Membership> choose(const SessionFacts& facts, std::optional<WorkspaceId> wanted) {
    if (!wanted && facts.memberships.size() == 1) return facts.memberships.front();
    if (!wanted && !facts.memberships.empty()) return fail(IdentityError::workspace_needed);
    for (const auto& membership : facts.memberships) {
        if (membership.workspace == wanted) return membership;
    }
    return fail(IdentityError::no_workspace);
}

}  // namespace

Identity::Identity(Parts parts) : parts_(parts), dummy_hash_(dummy_password_hash(parts.cost)) {}

async::Task<> Identity::prepare_installation() {
    if (is_prepared_) co_return Result<>{};
    keys::CreateWorkspace ask{k_installation};
    auto made = co_await parts_.keeper.call(ask, keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    is_prepared_ = true;
    co_return Result<>{};
}

async::Task<std::string> Identity::workspace_name(WorkspaceRow row) {
    auto opened = co_await keys::open_record(
        &parts_.keeper, row.id, data_map::workspaces::name.value, crypto::row_key(row.id),
        std::move(row.name).take(), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<std::optional<WorkspaceRow>> Identity::find_workspace(std::string name) {
    const auto body = [](store::Transaction& tx) { return rows::list_workspaces(tx); };
    auto all = co_await parts_.database.read(body);
    if (!all) co_return fail(std::move(all.error()));
    for (auto& row : *all) {
        auto opened = co_await workspace_name(row);
        if (!opened) co_return fail(std::move(opened.error()));
        if (*opened == name) co_return std::optional<WorkspaceRow>(std::move(row));
    }
    co_return std::optional<WorkspaceRow>();
}

async::Task<WorkspaceRow> Identity::new_workspace(std::string name, bool is_demo) {
    WorkspaceRow row;
    row.created_at_ms = parts_.clock.now_ms();
    row.id = WorkspaceId::make(row.created_at_ms);
    row.is_demo = is_demo;
    keys::CreateWorkspace ask{row.id};
    auto made = co_await parts_.keeper.call(ask, keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    auto sealed =
        co_await keys::seal_record(&parts_.keeper, row.id, data_map::workspaces::name.value,
                                   crypto::row_key(row.id), to_bytes(name), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.name = store::SealedBytes(std::move(*sealed));
    co_return row;
}

async::Task<NewToken> Identity::store_token(WorkspaceId workspace,
                                            Role role,
                                            std::optional<WorkspaceRow> with_workspace) {
    auto bearer = make_bearer(k_api_token_prefix);
    const auto now = parts_.clock.now_ms();
    const TokenRow row{bearer.hash, TokenId::make(now), workspace, role, now};
    const auto body = [row, with_workspace](store::Transaction& tx) -> Result<> {
        if (with_workspace) {
            if (auto done = rows::insert_workspace(tx, *with_workspace); !done) return done;
        }
        return rows::insert_token(tx, row);
    };
    auto stored = co_await parts_.database.write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return NewToken{row.id, workspace, role, std::move(bearer.text)};
}

async::Task<NewToken> Identity::create_token(WorkspaceId workspace, Role role) {
    co_return co_await store_token(workspace, role, std::nullopt);
}

async::Task<std::vector<TokenRow>> Identity::tokens(WorkspaceId workspace) {
    const auto body = [workspace](store::Transaction& tx) {
        return rows::list_tokens(tx, workspace);
    };
    co_return co_await parts_.database.read(body);
}

async::Task<> Identity::delete_token(WorkspaceId workspace, TokenId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::delete_token(tx, workspace, id);
    };
    auto deleted = co_await parts_.database.write(body);
    if (!deleted) co_return fail(std::move(deleted.error()));
    if (*deleted == 0) co_return fail(IdentityError::token_not_found);
    co_return Result<>{};
}

async::Task<Actor> Identity::authenticate_token(std::string text) {
    const auto hash = hash_of_bearer(k_api_token_prefix, text);
    wipe(text.data(), text.size());
    if (!hash) co_return fail(IdentityError::unauthenticated);
    const auto body = [hash = *hash](store::Transaction& tx) { return rows::find_token(tx, hash); };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    const auto found = *row;
    if (!found) co_return fail(IdentityError::unauthenticated);
    co_return actor_of(*found);
}

async::Task<Actor> Identity::authenticate_session(std::string text,
                                                  std::optional<WorkspaceId> workspace) {
    const auto hash = hash_of_bearer(k_session_prefix, text);
    wipe(text.data(), text.size());
    if (!hash) co_return fail(IdentityError::unauthenticated);
    const auto now = parts_.clock.now_ms();
    const auto body = [hash = *hash, now](store::Transaction& tx) {
        return load_session(tx, hash, now);
    };
    auto facts = co_await parts_.database.read(body);
    if (!facts) co_return fail(std::move(facts.error()));
    const auto membership = choose(*facts, workspace);
    if (!membership) co_return fail(membership.error());
    Actor actor;
    actor.workspace = membership->workspace;
    actor.role = membership->role;
    actor.person = facts->session.person;
    actor.proof = *hash;
    actor.handle = handle_of(*hash);
    co_return actor;
}

async::Task<> Identity::check_again(Actor actor) {
    const auto now = parts_.clock.now_ms();
    const auto body = [actor, now](store::Transaction& tx) -> Result<> {
        if (actor.token) {
            POSTERN_TRY(const auto row, rows::find_token(tx, actor.proof));
            if (!row || row->role != actor.role) return fail(IdentityError::unauthenticated);
            return {};
        }
        POSTERN_TRY(const auto facts, load_session(tx, actor.proof, now));
        POSTERN_TRY(const auto membership, choose(facts, actor.workspace));
        if (membership.role != actor.role) return fail(IdentityError::unauthenticated);
        return {};
    };
    co_return co_await parts_.database.read(body);
}

async::Task<Me> Identity::me(Actor actor) {
    struct Facts {
        std::optional<WorkspaceRow> workspace;
        std::optional<PersonRow> person;
    };
    const auto body = [actor](store::Transaction& tx) -> Result<Facts> {
        Facts facts;
        POSTERN_TRY(facts.workspace, rows::find_workspace(tx, actor.workspace));
        if (actor.person) {
            POSTERN_TRY(facts.person, rows::find_person(tx, *actor.person));
        }
        return facts;
    };
    auto facts = co_await parts_.database.read(body);
    if (!facts) co_return fail(std::move(facts.error()));
    auto workspace = std::move(facts->workspace);
    auto person = std::move(facts->person);
    if (!workspace) co_return fail(IdentityError::no_workspace);
    Me me;
    me.workspace.id = workspace->id;
    me.workspace.is_demo = workspace->is_demo;
    auto name = co_await workspace_name(std::move(*workspace));
    if (!name) co_return fail(std::move(name.error()));
    me.workspace.name = std::move(*name);
    if (person) {
        const auto id = person->id;
        auto email = co_await keys::open_record(
            &parts_.keeper, k_installation, data_map::people::address.value, crypto::row_key(id),
            std::move(person->address).take(), keeper_deadline());
        if (!email) co_return fail(std::move(email.error()));
        me.email = as_text(*email);
    }
    co_return me;
}

}  // namespace postern::identity
