#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/password_rules.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/mail/address.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {

namespace data_map = store::data_map::store;

namespace {

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// One look at a time: two requests must not make two workspaces of one name.
class OneAtATime {
public:
    explicit OneAtATime(bool& taken) : taken_(taken), mine_(!taken) { taken_ = true; }
    ~OneAtATime() {
        if (mine_) taken_ = false;
    }
    OneAtATime(const OneAtATime&) = delete;
    OneAtATime& operator=(const OneAtATime&) = delete;
    [[nodiscard]] bool mine() const { return mine_; }

private:
    bool& taken_;
    bool mine_;
};

Result<> check_setup(store::Transaction& tx, const crypto::Hash& hash, UnixMs now_ms) {
    POSTERN_TRY(const auto is_done, rows::is_set_up(tx));
    if (is_done) return fail(IdentityError::setup_done);
    POSTERN_TRY(const auto token, rows::load_setup_token(tx));
    if (!token || token->expires_at_ms <= now_ms ||
        !crypto::equal_in_constant_time(token->hash, hash)) {
        return fail(IdentityError::setup_token_invalid);
    }
    return {};
}

/// Whoever has the host may do everything that the role may.
TokenRow host_token(WorkspaceId workspace, Role role, UnixMs now_ms) {
    TokenRow row;
    row.id = TokenId::make(now_ms);
    row.workspace = workspace;
    row.role = role;
    row.scopes = Scopes::all();
    row.created_at_ms = now_ms;
    return row;
}

struct FirstRows {
    crypto::Hash setup_hash{};
    std::optional<WorkspaceRow> workspace;  ///< nothing: it is there
    PersonRow person;
    Membership membership;
    TokenRow token;
};

Result<> store_first(store::Transaction& tx, const FirstRows& first, UnixMs now_ms) {
    if (auto still = check_setup(tx, first.setup_hash, now_ms); !still) return still;
    if (first.workspace) {
        if (auto done = rows::insert_workspace(tx, *first.workspace); !done) return done;
    }
    if (auto done = rows::insert_person(tx, first.person); !done) return done;
    if (auto done = rows::insert_membership(tx, first.membership); !done) return done;
    if (auto done = rows::insert_token(tx, first.token); !done) return done;
    if (auto done = rows::delete_setup_token(tx); !done) return done;
    return rows::mark_set_up(tx);
}

}  // namespace

async::Task<Secret> Identity::create_setup_token() {
    auto bearer = make_bearer(k_setup_prefix);
    const SetupToken row{bearer.hash, parts_.clock.now_ms() + k_setup_token_s * 1000};
    const auto body = [row](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto is_done, rows::is_set_up(tx));
        if (is_done) return fail(IdentityError::setup_done);
        return rows::store_setup_token(tx, row);
    };
    audit::Act act{audit::by_host(), "setup_link.made", {}};
    auto stored = co_await parts_.audit.record(k_installation, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return std::move(bearer.text);
}

async::Task<> Identity::check_setup_token(std::string text) {
    const auto hash = hash_of_bearer(k_setup_prefix, text).value_or(crypto::Hash{});
    wipe(text.data(), text.size());
    const auto now = parts_.clock.now_ms();
    const auto body = [hash, now](store::Transaction& tx) { return check_setup(tx, hash, now); };
    co_return co_await parts_.database.read(body);
}

async::Task<PersonRow> Identity::new_person(std::string email, Secret password) {
    PersonRow row;
    row.created_at_ms = parts_.clock.now_ms();
    row.id = PersonId::make(row.created_at_ms);
    auto token = co_await address_token(email);
    if (!token) co_return fail(std::move(token.error()));
    row.address_token = std::move(*token);
    auto hash = co_await hash_password(std::move(password));
    if (!hash) co_return fail(std::move(hash.error()));
    keys::SealRecords ask;
    ask.workspace = k_installation;
    ask.records.push_back(
        {data_map::people::address.value, crypto::row_key(row.id), to_bytes(email)});
    ask.records.push_back(
        {data_map::people::password.value, crypto::row_key(row.id), to_bytes(*hash)});
    auto sealed = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    if (sealed->contents.size() != 2) co_return fail(keys::KeyError::storage_failed);
    row.address = store::SealedBytes(std::move(sealed->contents[0]));
    row.password = store::SealedBytes(std::move(sealed->contents[1]));
    co_return row;
}

async::Task<NewToken> Identity::set_up(SetUp ask) {
    const auto hash = hash_of_bearer(k_setup_prefix, ask.token).value_or(crypto::Hash{});
    auto allowed = co_await check_setup_token(std::move(ask.token));
    if (!allowed) co_return fail(std::move(allowed.error()));
    if (!is_name(ask.workspace)) co_return fail(IdentityError::invalid_workspace_name);
    const auto email = codec::EmailAddress::parse(ask.email);
    if (!email) co_return fail(IdentityError::invalid_email);
    const auto fit =
        check_new_password(ask.password, {.address = email->text(), .workspace = ask.workspace});
    if (!fit) co_return fail(fit.error());
    const OneAtATime turn(is_making_workspace_);
    if (!turn.mine()) co_return fail(async::AsyncError::busy);
    auto prepared = co_await prepare_installation();
    if (!prepared) co_return fail(std::move(prepared.error()));

    FirstRows first;
    first.setup_hash = hash;
    auto found = co_await find_workspace(ask.workspace);
    if (!found) co_return fail(std::move(found.error()));
    const auto present = std::move(*found);
    auto workspace = WorkspaceId();
    if (present) {
        workspace = present->id;
    } else {
        auto made = co_await new_workspace(std::move(ask.workspace), false);
        if (!made) co_return fail(std::move(made.error()));
        workspace = made->id;
        first.workspace = std::move(*made);
    }
    auto person = co_await new_person(email->text(), std::move(ask.password));
    if (!person) co_return fail(std::move(person.error()));
    const auto now = parts_.clock.now_ms();
    first.person = std::move(*person);
    first.membership = {workspace, first.person.id, Role::owner, now};
    auto bearer = make_bearer(k_api_token_prefix);
    first.token = host_token(workspace, Role::owner, now);
    first.token.token_hash = bearer.hash;
    const auto id = first.token.id;
    audit::Act act{{}, "workspace.set_up", {}};
    act.about = {{"person_id", first.person.id.text()}, {"token_id", id.text()}};
    const auto body = [first = std::move(first), now](store::Transaction& tx) {
        return store_first(tx, first, now);
    };
    auto stored = co_await parts_.audit.record(workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return NewToken{id, workspace, Role::owner, std::move(bearer.text)};
}

async::Task<std::optional<WorkspaceId>> Identity::workspace_named(std::string name) {
    auto found = co_await find_workspace(std::move(name));
    if (!found) co_return fail(std::move(found.error()));
    const auto row = std::move(*found);
    std::optional<WorkspaceId> id;
    if (row) id = row->id;
    co_return id;
}

async::Task<NewToken> Identity::create_token(TokenAsk ask) {
    if (!is_name(ask.workspace)) co_return fail(IdentityError::invalid_workspace_name);
    const OneAtATime turn(is_making_workspace_);
    if (!turn.mine()) co_return fail(async::AsyncError::busy);
    auto found = co_await find_workspace(ask.workspace);
    if (!found) co_return fail(std::move(found.error()));
    const auto present = std::move(*found);
    const auto now = parts_.clock.now_ms();
    const auto by = audit::by_host();
    if (present) {
        auto token = host_token(present->id, ask.role, now);
        co_return co_await store_token(std::move(token), std::nullopt, by);
    }
    auto made = co_await new_workspace(std::move(ask.workspace), ask.is_demo);
    if (!made) co_return fail(std::move(made.error()));
    auto token = host_token(made->id, ask.role, now);
    co_return co_await store_token(std::move(token), std::move(*made), by);
}

}  // namespace postern::identity
