#include "platform/store/migration.h"

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postern::store {

namespace {

constexpr std::string_view k_create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number {int64} NOT NULL PRIMARY KEY, "
    "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at {int64} NOT NULL) STRICT";
constexpr SqlText k_list = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";
constexpr SqlText k_insert =
    "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

Error about(StoreError error, const Migration& migration, const std::string& detail = {}) {
    return {error, "migration " + std::to_string(migration.number) + " " +
                       std::string(migration.name) + (detail.empty() ? "" : ": ") + detail};
}

/// Of a store that is ahead, for its operator: what it is at, and what we know.
std::string versions(const Row& newest, std::span<const Migration> migrations) {
    const auto known = migrations.empty() ? 0 : migrations.back().number;
    return "it is at version " + std::to_string(newest.integer(0)) + " (" + newest.clear_text(1) +
           "), this program knows versions up to " + std::to_string(known) +
           "; start the program that wrote it";
}

/// How many of `migrations` are applied already; they are the first ones, unchanged.
Result<std::size_t> count_applied(Connection& connection, std::span<const Migration> migrations) {
    const auto verdict = std::make_shared<Verdict>();
    Transaction transaction(connection, verdict);
    POSTERN_TRY(const auto rows, transaction.query(k_list));
    std::size_t applied = 0;
    for (const auto& row : rows) {
        if (applied == migrations.size()) {
            return fail(StoreError::newer_version, versions(rows.back(), migrations));
        }
        const auto& migration = migrations[applied];
        const bool same = row.integer(0) == migration.number &&
                          row.clear_text(1) == migration.name &&
                          row.clear_text(2) == migration.checksum;
        if (const auto failure = verdict->failure) return fail(*failure);
        if (!same) return fail(about(StoreError::migration_changed, migration));
        ++applied;
    }
    return applied;
}

Result<> record(Connection& connection, const Migration& migration, const Clock& clock) {
    const std::array<Value, 4> values = {migration.number, Clear::text(migration.name),
                                         Clear::text(migration.checksum), clock.now_ms()};
    POSTERN_TRY([[maybe_unused]] const auto changed, connection.execute(k_insert, values));
    return {};
}

/// Ends the transaction: kept where `done` is a success.
Result<> settle(Connection& connection, Result<> done) {
    if (done) return connection.commit();
    connection.rollback();
    return done;
}

Result<> apply(Connection& connection, const Migration& migration, const Clock& clock) {
    if (auto begun = connection.begin(Access::write); !begun) return begun;
    auto done = connection.run_migration(migration.sql);
    if (!done &&
        (done.error().is(StoreError::bad_statement) || done.error().is(StoreError::conflict) ||
         done.error().is(StoreError::row_refused))) {
        done = fail(about(StoreError::migration_failed, migration, done.error().detail()));
    }
    if (done) done = record(connection, migration, clock);
    return settle(connection, std::move(done));
}

Result<> create_table(Connection& connection) {
    if (auto begun = connection.begin(Access::write); !begun) return begun;
    return settle(connection, connection.run_migration(k_create_table));
}

}  // namespace

Result<std::optional<std::int64_t>> first_missing(Connection& connection,
                                                  std::span<const Migration> migrations) {
    if (auto made = create_table(connection); !made) return fail(std::move(made.error()));
    POSTERN_TRY(const auto applied, count_applied(connection, migrations));
    if (applied == 0 || applied == migrations.size()) return std::nullopt;
    return migrations[applied].number;
}

Result<> migrate(Connection& connection,
                 std::span<const Migration> migrations,
                 const Clock& clock) {
    if (auto made = create_table(connection); !made) return made;
    POSTERN_TRY(const auto applied, count_applied(connection, migrations));
    for (const auto& migration : migrations.subspan(applied)) {
        if (auto done = apply(connection, migration, clock); !done) return done;
    }
    return {};
}

}  // namespace postern::store
