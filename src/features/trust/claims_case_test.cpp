#include "features/trust/claims_case_test.h"

#include "features/trust/ports.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/net/test_loop.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/sql_text.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust::test {
namespace {

struct MadeBearer {
    Secret text;
    Bytes stored;
};
MadeBearer bearer(std::string_view prefix, PlayedBearers::As as) {
    const auto random = crypto::random_bytes(32);
    const auto text = std::string(prefix) + codec::base64url(random);
    MadeBearer made{Secret::copy_of(as_bytes(text)), random};
    if (as == PlayedBearers::As::hash) made.stored = to_bytes(crypto::sha256(as_bytes(text)));
    if (as == PlayedBearers::As::text) made.stored = to_bytes(text);
    return made;
}

constexpr std::string_view k_all = "owner manager reader privacy operator auditor";
struct PlayedRoute {
    std::string_view name;
    std::string_view roles;
};
constexpr PlayedRoute k_routes[] = {
    {"GET /v1/me", k_all},
    {"POST /v1/sessions/current/proof", k_all},
    {"GET /v1/sessions", k_all},
    {"POST /v1/me/factors", k_all},
    {"GET /v1/workspace", k_all},
    {"GET /v1/threads", "owner manager reader privacy"},
    {"GET /v1/threads/{id}", "owner manager privacy"},
    {"POST /v1/threads", "owner manager"},
    {"GET /v1/unattended-threads", "owner"},
    {"POST /v1/integrations/{id}/unlock", "owner manager"},
    {"POST /v1/integrations/{id}/cut-off", "owner manager privacy operator"},
    {"GET /v1/audit", "owner auditor"},
    {"POST /v1/tokens", "owner"},
    {"PATCH /v1/workspace", "owner"},
};
constexpr std::string_view k_ways_to_end[] = {"signed out", "password changed", "expired", "idle"};

bool is_open_to(Gate::Shown shown, std::string_view route) {
    if (shown == Gate::Shown::everything) return true;
    const bool is_of_all = route == "GET /v1/me" || route.ends_with("/proof");
    const bool is_enrolling = route == "GET /v1/sessions" || route == "POST /v1/me/factors";
    return is_of_all || (is_enrolling && shown == Gate::Shown::nothing_to_show);
}

}  // namespace

std::vector<std::string> PlayedGate::roles() const {
    return {"owner", "manager", "reader", "privacy", "operator", "auditor"};
}

async::Task<std::vector<Gate::Door>> PlayedGate::try_doors(Asker asker) {
    std::vector<Door> out;
    for (const auto& route : k_routes) {
        Door door;
        door.route = std::string(route.name);
        door.of_role = route.roles.find(asker.role) != std::string_view::npos;
        door.opens = door.of_role && is_open_to(asker.shown, route.name);
        if (route.name == faults.route && asker.role == faults.opens_to_role) {
            door.opens = true;
            door.of_role = door.of_role || faults.is_in_the_table;
        }
        using enum Shown;
        if (asker.shown == password_only) door.opens |= route.name == faults.opens_to_half;
        if (asker.shown == nothing_to_show) door.opens |= route.name == faults.opens_to_enrolling;
        door.opens = door.opens && !faults.is_shut;
        out.push_back(std::move(door));
    }
    co_return out;
}

async::Task<std::vector<Gate::Ended>> PlayedGate::end_sessions(bool really) {
    std::vector<Ended> out;
    for (const auto way : k_ways_to_end) {
        const bool goes_on = (!really || way == faults.goes_on) && way != faults.always_over;
        out.push_back({std::string(way), way != faults.never_good, goes_on,
                       goes_on || way == faults.stream_goes_on});
    }
    co_return out;
}

async::Task<std::vector<Privacy::Look>> PlayedPrivacy::look(bool is_private) {
    std::vector<Look> out;
    for (const std::string where : {"a mail of it", "the list of threads"}) {
        const bool is_open = !is_private && where != faults.always_hidden;
        out.push_back({where, where != faults.missed, is_open || where == faults.seen_by_colleague,
                       is_open || where == faults.seen_by_token});
    }
    co_return out;
}

async::Task<Bearers::Token> PlayedBearers::create_token() {
    auto made = bearer("pst_", tokens);
    Token token{id<WorkspaceId>(77), id<TokenId>(77), std::move(made.text)};
    const auto beside =
        writes_down ? token.text.with_bytes([](ByteView all) { return to_bytes(all); }) : Bytes{};
    const auto body = [stored = std::move(made.stored), beside](Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto put,
                    tx.execute("INSERT INTO api_tokens (workspace_id, token_hash, token_id, "
                               "bound_workspace_id, role, created_at_ms) "
                               "VALUES ($1, $2, $3, $4, 'reader', 0)",
                               {k_installation, Clear::bytes(stored), id<TokenId>(77),
                                id<WorkspaceId>(77)}));
        POSTERN_TRY([[maybe_unused]] const auto noted,
                    tx.execute("INSERT INTO meta (workspace_id, name, value) "
                               "VALUES ($1, 'noted', $2)",
                               {k_installation, Clear::bytes(beside)}));
        return {};
    };
    auto stored = co_await database_->write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return std::move(token);
}

async::Task<> PlayedBearers::delete_token(WorkspaceId, TokenId token) {
    const auto body = [token](Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto gone,
                    tx.execute("DELETE FROM api_tokens WHERE token_id = $1", {token}));
        POSTERN_TRY([[maybe_unused]] const auto forgotten,
                    tx.execute("DELETE FROM meta WHERE name = 'noted'"));
        return {};
    };
    co_return co_await database_->write(body);
}

std::vector<Bearers::Made> PlayedBearers::make_others() {
    std::vector<Made> out;
    for (const auto* prefix : {"pss_", ""}) {
        auto made = bearer(prefix, others);
        out.push_back({std::move(made.text), {}});
        std::ranges::copy(made.stored, out.back().stored.begin());
    }
    return out;
}

void ClaimsCase::blind(const Blinded& what) {
    if (store::tests_on_postgres()) {
        run_sql(
            "CREATE OR REPLACE FUNCTION postern_store.ignored() RETURNS trigger LANGUAGE plpgsql "
            "AS 'BEGIN RETURN NULL; END'",
            {});
    }
    run_sql(store::tests_on_postgres() ? what.on_postgresql : what.on_sqlite, {});
}

void ClaimsCase::see_again(const Blinded& what) {
    run_sql(store::tests_on_postgres() ? what.no_more_on_postgresql : SqlText("DROP TRIGGER blind"),
            {});
}

void ClaimsCase::run_sql(SqlText sql, std::initializer_list<Value> values) {
    const auto done = database->write_now([&](Transaction& tx) -> Result<> {
        auto changed = tx.execute(sql, values);
        if (!changed) return fail(std::move(changed.error()));
        return {};
    });
    ASSERT_TRUE(done) << done.error().detail();
}

void ClaimsCase::add_integration(std::uint8_t number, std::string_view state) {
    run_sql(
        "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, "
        "epoch, settings, search_label, broken_code, created_at_ms) "
        "VALUES ($1, $2, 'imap', 'replies', $3, 1, $4, 'label', NULL, 0)",
        {id<WorkspaceId>(1), id<IntegrationId>(number), Clear::text(state), noise()});
}

void ClaimsCase::add_thread(std::uint8_t number, std::uint8_t integration) {
    run_sql(
        "INSERT INTO threads (workspace_id, thread_id, integration_id, token, next_number, "
        "head, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, 2, $5, 0, 0)",
        {id<WorkspaceId>(1), id<ThreadId>(number), id<IntegrationId>(integration),
         Clear::bytes(id<ThreadId>(number).bytes()), noise()});
}

void ClaimsCase::add_message(std::uint8_t number,
                             std::uint8_t thread,
                             std::int64_t own_number,
                             std::string_view direction) {
    const auto message = id<MessageId>(number);
    run_sql(
        "INSERT INTO messages (workspace_id, message_id, thread_id, number, direction, "
        "state, failure_code, origin_mac, body, created_at_ms) "
        "VALUES ($1, $2, $3, $4, $5, 'sent', NULL, $6, $7, 0)",
        {id<WorkspaceId>(1), message, id<ThreadId>(thread), own_number, Clear::text(direction),
         Clear::bytes(message.bytes()), noise()});
    run_sql(
        "INSERT INTO message_wraps (workspace_id, message_id, creator_id, body_wrap) "
        "VALUES ($1, $2, $3, $4)",
        {id<WorkspaceId>(1), message, id<CreatorId>(1), noise()});
    run_sql(
        "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
        "VALUES ($1, $2, $3, $4, $4)",
        {id<WorkspaceId>(1), message, Clear::bytes(message.bytes()), noise()});
}

void ClaimsCase::add_ledger(std::int64_t number_base,
                            std::string_view command,
                            std::string_view reason) {
    run_sql(
        "INSERT INTO read_ledger (workspace_id, integration_id, number, at_ms, command, "
        "folder_mac, first_uid, next_uid, bytes, reason) "
        "VALUES ($1, $2, $3, 0, $4, $5, 1, 2, 3, $6)",
        {id<WorkspaceId>(1), id<IntegrationId>(1), number_base + ++ledger_lines_,
         Clear::text(command), noise(), Clear::text(reason)});
}

void ClaimsCase::add_person(std::uint8_t number, const std::string& password) {
    const auto person = id<PersonId>(number);
    keys::SealRecords ask;
    ask.workspace = k_installation;
    ask.records.push_back({store::data_map::store::people::address.value, crypto::row_key(person),
                           to_bytes("olga@brand.example")});
    ask.records.push_back({store::data_map::store::people::password.value, crypto::row_key(person),
                           to_bytes(password)});
    auto sealed = loop.run(keeper.link.call(std::move(ask), net::test::soon()));
    ASSERT_TRUE(sealed);
    run_sql(
        "INSERT INTO people (workspace_id, person_id, address_token, address, password, "
        "created_at_ms) VALUES ($1, $2, $3, $4, $5, 0)",
        {k_installation, person, Clear::bytes(person.bytes()), SealedBytes(sealed->contents[0]),
         SealedBytes(sealed->contents[1])});
}

void ClaimsCase::add_audit_record() {
    audit::Act act{audit::by_host(), "token.created", {{"role", "owner"}}};
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    ASSERT_TRUE(loop.run(audit_log->record(id<WorkspaceId>(1), std::move(act), nothing)));
}

void ClaimsCase::add_workspace(std::uint8_t number, std::string_view name) {
    const auto workspace = id<WorkspaceId>(number);
    keys::SealRecords ask;
    ask.workspace = workspace;
    ask.records.push_back({store::data_map::store::workspaces::name.value,
                           crypto::row_key(workspace), to_bytes(name)});
    auto sealed = loop.run(keeper.link.call(std::move(ask), net::test::soon()));
    ASSERT_TRUE(sealed);
    run_sql(
        "INSERT INTO workspaces (workspace_id, name, is_demo, created_at_ms) "
        "VALUES ($1, $2, 0, 0)",
        {workspace, SealedBytes(sealed->contents[0])});
}

}  // namespace postern::trust::test
