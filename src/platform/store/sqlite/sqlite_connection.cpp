#include "platform/store/sqlite/sqlite_connection.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/sqlite/log_wipe.h"
#include "platform/store/sqlite/opening.h"
#include "platform/store/sqlite/sqlite_error.h"
#include "platform/store/sqlite/statement.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <sqlite3.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store::sqlite {

namespace {

constexpr SqlText k_begin_read = "BEGIN DEFERRED";
constexpr SqlText k_begin_write = "BEGIN IMMEDIATE";
constexpr SqlText k_commit = "COMMIT";
constexpr SqlText k_rollback = "ROLLBACK";
constexpr SqlText k_begin_part = "SAVEPOINT part";
constexpr SqlText k_keep_part = "RELEASE part";
constexpr SqlText k_undo_part = "ROLLBACK TO part";
constexpr SqlText k_quick_check = "PRAGMA quick_check(1)";

/// Statements a connection keeps prepared. The program's SQL is a fixed set well below it.
constexpr std::size_t k_statements_max = 1000;

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

class SqliteConnection final : public Connection {
public:
    SqliteConnection(DatabaseHandle db, ConnectionOptions options)
        : db_(std::move(db)), options_(std::move(options)) {}

    Result<> begin(Access access) override {
        access_ = access;
        return run(access == Access::write ? k_begin_write : k_begin_read);
    }
    Result<> commit() override {
        auto done = run(k_commit);
        if (!done) rollback();
        return done;
    }
    void rollback() noexcept override {
        // Where this fails the engine rolled back by itself (SQLITE_FULL, SQLITE_IOERR).
        if (in_transaction())
            sqlite3_exec(db_.get(), k_rollback.view().data(), nullptr, nullptr, nullptr);
    }
    bool in_transaction() const noexcept override { return sqlite3_get_autocommit(db_.get()) == 0; }

    Result<> begin_part() override { return run(k_begin_part); }
    Result<> keep_part() override { return run(k_keep_part); }
    Result<> undo_part() override {
        if (auto undone = run(k_undo_part); !undone) return undone;
        return run(k_keep_part);
    }

    Result<std::int64_t> execute(SqlText sql, std::span<const Value> values) override;
    Result<std::vector<std::vector<Cell>>> query(SqlText sql,
                                                 std::span<const Value> values) override;
    Result<> run_migration(std::string_view ddl) override;
    Result<> purge(Purge how, Deadline deadline) override;
    Result<> check_integrity() override;

private:
    Result<> run(SqlText sql) {
        POSTERN_TRY(auto* const statement, prepared(sql));
        return statement->execute({});
    }
    Result<Statement*> prepared(SqlText sql);
    Result<Statement*> allowed(SqlText sql);

    DatabaseHandle db_;
    ConnectionOptions options_;
    Access access_ = Access::write;  // of the running transaction
    std::unordered_map<std::string_view, Statement> statements_;
};

Result<Statement*> SqliteConnection::prepared(SqlText sql) {
    if (const auto found = statements_.find(sql.view()); found != statements_.end()) {
        return &found->second;
    }
    POSTERN_TRY(auto statement, Statement::prepare(db_.get(), sql.view()));
    if (statements_.size() >= k_statements_max) statements_.clear();
    return &statements_.emplace(sql.view(), std::move(statement)).first->second;
}

/// The one connection of a database without readers serves reads, too, and must not write in them.
Result<Statement*> SqliteConnection::allowed(SqlText sql) {
    auto statement = prepared(sql);
    if (statement && access_ == Access::read && !(*statement)->only_reads()) {
        return fail(StoreError::bad_statement, "a write in a read");
    }
    return statement;
}

Result<std::int64_t> SqliteConnection::execute(SqlText sql, std::span<const Value> values) {
    POSTERN_TRY(auto* const statement, allowed(sql));
    const auto before = sqlite3_total_changes64(db_.get());
    if (auto done = statement->execute(values); !done) return fail(std::move(done.error()));
    // changes64() keeps the count of an earlier statement where this one changed nothing by kind.
    if (sqlite3_total_changes64(db_.get()) == before) return 0;
    return sqlite3_changes64(db_.get());
}

Result<std::vector<std::vector<Cell>>> SqliteConnection::query(SqlText sql,
                                                               std::span<const Value> values) {
    POSTERN_TRY(auto* const statement, allowed(sql));
    return statement->query(values);
}

Result<> SqliteConnection::run_migration(std::string_view ddl) {
    const auto text =
        replace_all(replace_all(std::string(ddl), "{int64}", "INTEGER"), "{blob}", "BLOB");
    const int code = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error_of(db_.get(), code));
    return {};
}

Result<> SqliteConnection::purge(Purge how, Deadline deadline) {
    if (how == Purge::rewrite) {
        if (auto done = rewrite(db_.get()); !done) return done;
    }
    sqlite3_busy_timeout(db_.get(), static_cast<int>(deadline.left().count()));
    auto done = empty_log(db_.get(), options_.file, deadline);
    sqlite3_busy_timeout(db_.get(), static_cast<int>(options_.busy_timeout.count()));
    return done;
}

Result<> SqliteConnection::check_integrity() {
    POSTERN_TRY(const auto rows, query(k_quick_check, {}));
    const auto* verdict =
        rows.size() == 1 && !rows[0].empty() ? std::get_if<std::string>(&rows[0][0]) : nullptr;
    if (verdict == nullptr || *verdict != "ok") return fail(StoreError::corrupt, "quick_check");
    return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> connect(const ConnectionOptions& options) {
    POSTERN_TRY(auto db, open_database(options));
    return std::make_unique<SqliteConnection>(std::move(db), options);
}

}  // namespace postern::store::sqlite
