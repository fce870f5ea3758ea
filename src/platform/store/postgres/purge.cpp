#include "platform/store/postgres/purge.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/postgres/keyring_cluster.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/session.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace postern::store::postgres {

namespace {

/// Snapshots of ours last milliseconds. A longer one is another's, and may last for hours: all
/// other writes wait for this one meanwhile.
constexpr std::chrono::milliseconds k_snapshot_wait{100};

/// Our own names only: they need no quoting but for words of SQL.
constexpr SqlText k_tables =
    "SELECT quote_ident(relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1";
constexpr SqlText k_has_amcheck = "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'";

Result<std::vector<std::string>> tables_of(Session& session, StoreKind kind) {
    const std::array<Value, 1> schema = {Clear::text(schema_of(kind))};
    POSTERN_TRY(const auto reply, session.ask(k_tables, schema, Wire::Want::rows));
    std::vector<std::string> names;
    for (std::size_t row = 0; row < reply.rows.size(); ++row) {
        const auto* name = text_at(reply, row, 0);
        if (name == nullptr) return fail(StoreError::corrupt, "a table's name");
        names.push_back(*name);
    }
    return names;
}

}  // namespace

Result<> purge(Session& session, const ConnectionOptions& options, Purge how, Deadline deadline) {
    // Settings may have changed since the start.
    if (options.kind == StoreKind::keyring && !options.server.may_keep_destroyed) {
        if (auto fit = check_keyring_cluster(session); !fit) return fit;
    }
    if (how == Purge::rewrite) {
        const auto soon = Deadline::in(std::min(k_snapshot_wait, deadline.left()));
        if (auto waited = wait_for_older_snapshots(session, soon); !waited) return waited;
    }
    std::vector<std::string> commands;
    commands.push_back("SET statement_timeout TO " + std::to_string(deadline.left().count() + 1));
    if (how == Purge::rewrite) {
        POSTERN_TRY(const auto tables, tables_of(session, options.kind));
        for (const auto& table : tables)
            commands.push_back("VACUUM (FULL) " + table);
    }
    commands.emplace_back("SELECT pg_switch_wal()");
    commands.emplace_back("CHECKPOINT");
    commands.emplace_back("SET statement_timeout TO 30000");
    for (const auto& command : commands) {
        if (auto done = session.run_text(command, deadline); !done) return done;
    }
    return {};
}

Result<> read_every_row(Session& session, StoreKind kind) {
    const auto deadline = Deadline::in(std::chrono::hours(1));
    POSTERN_TRY(const auto tables, tables_of(session, kind));
    POSTERN_TRY(const auto amcheck, session.ask(k_has_amcheck, {}, Wire::Want::rows));
    std::string sql = "SET statement_timeout TO 3600000;";
    for (const auto& table : tables) {
        // The hash needs every value of the row, also those that lie apart.
        sql.append("SELECT count(md5(t::text)) FROM ").append(table).append(" t;");
    }
    if (!amcheck.rows.empty()) {
        sql +=
            "SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'i' AND "
            "a.amname = 'btree';";
    }
    sql += "SET statement_timeout TO 30000";
    return session.run_text(sql, deadline);
}

}  // namespace postern::store::postgres
