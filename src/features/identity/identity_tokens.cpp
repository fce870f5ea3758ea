#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "features/identity/stored_actor.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/net/ip_address.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace {

constexpr auto k_name_column = store::data_map::store::api_tokens::name.value;
/// When a token was last used is told to the hour: a write for each request would say no more.
constexpr std::int64_t k_use_grain_ms = 3'600'000;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

bool is_within_rights(const Actor& actor, const Identity::TokenWish& wish) {
    const bool has_role = (permissions_of(wish.role) & ~permissions_of(actor.role)) == 0;
    return has_role && (!actor.token || wish.scopes.are_within(actor.scopes));
}

}  // namespace

Actor actor_of(const TokenRow& row) {
    Actor actor;
    actor.workspace = row.workspace;
    actor.role = row.role;
    actor.scopes = row.scopes;
    actor.token = row.id;
    actor.maker = row.made_by;
    actor.proof = row.token_hash;
    actor.handle = handle_of(row.token_hash);
    return actor;
}

async::Task<NewToken> Identity::store_token(TokenRow row,
                                            std::optional<WorkspaceRow> with_workspace,
                                            std::optional<audit::By> by) {
    auto bearer = make_bearer(k_api_token_prefix);
    row.token_hash = bearer.hash;
    const auto body = [row, with_workspace](store::Transaction& tx) -> Result<> {
        if (with_workspace) {
            if (auto done = rows::insert_workspace(tx, *with_workspace); !done) return done;
        }
        return rows::insert_token(tx, row);
    };
    std::vector<WorkspaceId> chains;
    if (by) chains.push_back(row.workspace);
    audit::Act act{by.value_or(audit::By{}), "token.created", {}};
    act.about = {{"token_id", row.id.text()}, {"role", std::string(name_of(row.role))}};
    auto stored = co_await parts_.audit.record(std::move(chains), std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return NewToken{row.id, row.workspace, row.role, std::move(bearer.text)};
}

async::Task<NewToken> Identity::create_token(WorkspaceId workspace, Role role) {
    TokenRow row;
    row.created_at_ms = parts_.clock.now_ms();
    row.id = TokenId::make(row.created_at_ms);
    row.workspace = workspace;
    row.role = role;
    co_return co_await store_token(std::move(row), std::nullopt, std::nullopt);
}

async::Task<Identity::Token> Identity::create_token(Authorized<Permission::manage_tokens> who,
                                                    TokenWish wish) {
    const auto& actor = who.actor();
    if (!is_within_rights(actor, wish)) co_return fail(IdentityError::beyond_own_rights);
    if (!wish.name.empty() && !is_name(wish.name)) co_return fail(IdentityError::invalid_name);
    TokenRow row;
    row.created_at_ms = parts_.clock.now_ms();
    row.id = TokenId::make(row.created_at_ms);
    row.workspace = actor.workspace;
    row.role = wish.role;
    row.scopes = wish.scopes;
    row.networks = std::move(wish.networks);
    row.made_by = actor.person ? actor.person : actor.maker;
    if (wish.lasts_s != 0) row.expires_at_ms = row.created_at_ms + wish.lasts_s * 1000;
    if (!wish.name.empty()) {
        auto sealed = co_await keys::seal_record(&parts_.keeper, row.workspace, k_name_column,
                                                 crypto::row_key(row.id), to_bytes(wish.name),
                                                 keeper_deadline());
        if (!sealed) co_return fail(std::move(sealed.error()));
        row.name = store::SealedBytes(std::move(*sealed));
    }
    auto made = co_await store_token(row, std::nullopt, by(actor));
    if (!made) co_return fail(std::move(made.error()));
    co_return Token{std::move(row), std::move(wish.name), std::move(made->text)};
}

async::Task<std::vector<Identity::Token>> Identity::tokens(WorkspaceId workspace) {
    const auto body = [workspace](store::Transaction& tx) {
        return rows::list_tokens(tx, workspace);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<Token> out;
    for (auto& row : *found) {
        Token token{row, {}, {}};
        if (row.name) {
            auto sealed = std::move(*row.name).take();
            auto name = co_await keys::open_record(&parts_.keeper, workspace, k_name_column,
                                                   crypto::row_key(row.id), std::move(sealed),
                                                   keeper_deadline());
            if (!name) co_return fail(std::move(name.error()));
            token.name = as_text(*name);
        }
        out.push_back(std::move(token));
    }
    co_return out;
}

async::Task<> Identity::delete_token(WorkspaceId workspace,
                                     TokenId id,
                                     std::optional<audit::By> by) {
    const auto body = [workspace, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto deleted, rows::delete_token(tx, workspace, id));
        if (deleted == 0) return fail(IdentityError::token_not_found);
        return {};
    };
    std::vector<WorkspaceId> chains;
    if (by) chains.push_back(workspace);
    audit::Act act{by.value_or(audit::By{}), "token.deleted", {}};
    act.about = {{"token_id", id.text()}};
    auto deleted = co_await parts_.audit.record(std::move(chains), std::move(act), body);
    if (deleted) ++endings_;
    co_return deleted;
}

async::Task<Actor> Identity::authenticate_token(std::string text, net::IpAddress from) {
    const auto hash = hash_of_bearer(k_api_token_prefix, text);
    wipe(text.data(), text.size());
    if (!hash) co_return fail(IdentityError::unauthenticated);
    const auto body = [hash = *hash](store::Transaction& tx) { return rows::find_token(tx, hash); };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    const auto found = std::move(*row);
    const auto now = parts_.clock.now_ms();
    const bool is_good = found && !has_expired(*found, now) &&
                         (found->networks.empty() || net::contains(found->networks, from));
    if (!is_good) co_return fail(IdentityError::unauthenticated);
    if (now - found->used_at_ms >= k_use_grain_ms) {
        const auto at_ms = now - now % k_use_grain_ms;
        const auto note = [hash = *hash, at_ms](store::Transaction& tx) {
            return rows::note_token_used(tx, hash, at_ms);
        };
        // On a full disk it goes unnoted.
        (void)co_await parts_.database.write(note);
    }
    auto actor = actor_of(*found);
    actor.from = from;
    co_return actor;
}

}  // namespace postern::identity
