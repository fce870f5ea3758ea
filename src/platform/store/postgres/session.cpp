#include "platform/store/postgres/session.h"

#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/pause.h"
#include "platform/store/postgres/keyring_cluster.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/login.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace postern::store::postgres {

namespace {

/// The server ends a statement before we give the connection up.
constexpr std::chrono::seconds k_statement_time{30};
constexpr std::chrono::seconds k_answer_time{40};
constexpr std::chrono::milliseconds k_lock_pause{20};

constexpr SqlText k_try_lock = "SELECT pg_try_advisory_lock($1)";
/// The timeline changes when a standby is promoted; its first eight digits name a log file.
/// And whether what is acknowledged is on disk at all, which may change while the server runs.
constexpr SqlText k_identity =
    "SELECT (pg_control_system()).system_identifier::text, "
    "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), current_setting('fsync'), pid::text, "
    "extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";
/// Of our own user only, which needs no right.
constexpr SqlText k_end_session =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $1 AND "
    "extract(epoch FROM backend_start)::text = $2 AND usename = current_user";
constexpr SqlText k_schema_exists = "SELECT count(*) FROM pg_namespace WHERE nspname = $1";
constexpr SqlText k_tables =
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1";

/// "POST" and the kind: who holds a store of this database.
std::int64_t lock_number(StoreKind kind) {
    return std::int64_t{0x504f5354} << 32 | (static_cast<std::int64_t>(kind) + 1);
}

std::string text_in(const Reply& reply, std::size_t column) {
    const auto* text = reply.rows.size() == 1 ? text_at(reply, 0, column) : nullptr;
    return text != nullptr ? *text : std::string();
}
std::int64_t number_in(const Reply& reply) {
    const auto* number = reply.rows.size() == 1 ? number_at(reply, 0, 0) : nullptr;
    return number != nullptr ? *number : 0;
}

std::string settings_for(const ConnectionOptions& options) {
    const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
    std::string sql = "SET search_path TO " + std::string(schema_of(options.kind)) + ";";
    sql += "SET lock_timeout TO " + ms(options.busy_timeout) + ";";
    sql += "SET statement_timeout TO " + ms(k_statement_time) + ";";
    sql += "SET idle_in_transaction_session_timeout TO 300000;";
    // Plans of prepared statements as if for any value: ours are look-ups by key.
    sql += "SET plan_cache_mode TO force_generic_plan;";
    // What is acknowledged is on disk. Stricter ones (remote_apply) stay.
    sql +=
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') IN ('off', 'local');";
    // A client that has gone is noticed, and its locks go with it.
    sql +=
        "SET client_connection_check_interval TO 2000;SET tcp_keepalives_idle TO 10;"
        "SET tcp_keepalives_interval TO 5;SET tcp_keepalives_count TO 3;";
    return sql;
}

}  // namespace

const char* schema_of(StoreKind kind) {
    switch (kind) {
        case StoreKind::store: return "postern_store";
        case StoreKind::keyring: return "postern_keyring";
        case StoreKind::index: return "postern_index";
    }
    return "";
}

Result<std::unique_ptr<Session>> Session::open(const ConnectionOptions& options) {
    POSTERN_TRY(const auto* const pq, Libpq::load());
    const auto application = std::string(schema_of(options.kind)) +
                             (options.access == Access::write ? " writer" : " reader");
    POSTERN_TRY(auto connection, log_in(*pq, options.server, application));
    std::unique_ptr<Session> session(new Session(Wire(*pq, std::move(connection))));
    if (auto done = session->prepare(options); !done) return fail(std::move(done.error()));
    return session;
}

Result<> Session::prepare(const ConnectionOptions& options) {
    if (auto done = run_text(settings_for(options)); !done) return done;
    if (auto learnt = learn_identity(); !learnt) return learnt;
    if (options.former && options.former->server == identity()) {
        if (auto ended = end(*options.former); !ended) return ended;
    }
    if (options.access == Access::write) {
        if (auto taken = take_store(options); !taken) return taken;
    }
    return check_cluster(options);
}

/// Under a running server keys can be deleted, and unlocking refused, wherever they lie: the purge
/// says what is in its way.
Result<> Session::check_cluster(const ConnectionOptions& options) {
    const bool asked = options.must_fit || options.access == Access::write;
    if (!asked || options.kind != StoreKind::keyring || options.server.may_keep_destroyed) {
        return {};
    }
    auto fit = check_keyring_cluster(*this);
    if (fit || options.must_fit || !fit.error().is(StoreError::unsuitable)) return fit;
    log(LogLevel::error, "keyring_cannot_be_purged",
        {LogField::sanitised("reason", fit.error().detail())});
    return {};
}

/// Waits a little: a connection of ours that broke may not have ended at the server.
Result<> Session::take_store(const ConnectionOptions& options) {
    const std::array<Value, 1> values = {lock_number(options.kind)};
    const auto deadline = Deadline::in(options.busy_timeout);
    while (true) {
        POSTERN_TRY(const auto reply, ask(k_try_lock, values, Wire::Want::rows));
        if (number_in(reply) == 1) return {};
        if (deadline.passed()) return fail(StoreError::in_use, schema_of(options.kind));
        pause(k_lock_pause);
    }
}

Result<> Session::learn_identity() {
    POSTERN_TRY(const auto reply, ask(k_identity, {}, Wire::Want::rows));
    if (text_in(reply, 2) != "on") return fail(StoreError::unsuitable, "fsync must be on");
    backend_ = {{text_in(reply, 0), text_in(reply, 1)}, text_in(reply, 3), text_in(reply, 4)};
    return {};
}

/// Where nothing but silence told of the break, the server waits for a client that is gone.
Result<> Session::end(const Backend& former) {
    std::int64_t pid = 0;
    std::from_chars(former.pid.data(), former.pid.data() + former.pid.size(), pid);
    const std::array<Value, 2> values = {pid, Clear::text(former.started)};
    POSTERN_TRY([[maybe_unused]] const auto reply, ask(k_end_session, values, Wire::Want::rows));
    return {};
}

Result<> Session::queue(SqlText sql, std::span<const Value> values, Wire::Want want, Reply* into) {
    return statements_.queue(wire_, sql, values, want, into);
}

Result<Reply> Session::exchange(Access access) {
    auto reply = wire_.exchange(access, Deadline::in(k_answer_time));
    if (!reply) statements_.forget_unknown();
    return reply;
}

Result<Reply> Session::ask(SqlText sql, std::span<const Value> values, Wire::Want want) {
    if (auto queued = queue(sql, values, want); !queued) return fail(std::move(queued.error()));
    return exchange(Access::write);
}

Result<> Session::run_text(const std::string& sql, Deadline deadline) {
    return wire_.run_text(sql, deadline);
}
Result<> Session::run_text(const std::string& sql) {
    return run_text(sql, Deadline::in(k_answer_time));
}

Result<> ready_schema(Session& session, const ConnectionOptions& options) {
    const std::string schema = schema_of(options.kind);
    const std::array<Value, 1> name = {Clear::text(schema)};
    POSTERN_TRY(const auto exists, session.ask(k_schema_exists, name, Wire::Want::rows));
    POSTERN_TRY(const auto tables, session.ask(k_tables, name, Wire::Want::rows));
    bool ours = false;
    for (std::size_t row = 0; row < tables.rows.size(); ++row) {
        const auto* table = text_at(tables, row, 0);
        ours = ours || (table != nullptr && *table == "schema_migrations");
    }
    if (ours && options.only_new) return fail(StoreError::not_empty, "schema " + schema);
    if (ours) return {};
    if (!tables.rows.empty()) return fail(StoreError::not_a_store, "schema " + schema);
    if (!options.create) return fail(StoreError::not_found, "schema " + schema);
    if (number_in(exists) == 1) return {};
    return session.run_text("CREATE SCHEMA " + schema);
}

}  // namespace postern::store::postgres
