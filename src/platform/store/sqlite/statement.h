#pragma once

#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/value.h"

#include <sqlite3.h>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace postern::store::sqlite {

/// One prepared statement, kept by its connection and used again and again. After each use it is
/// reset and its parameters are cleared: nothing of a row stays in it.
class Statement {
public:
    /// Errors: bad_statement, also for more than one statement or parameters that are not $1..$n.
    [[nodiscard]] static Result<Statement> prepare(sqlite3* db, std::string_view sql);

    /// Runs to the end. Rows of a RETURNING are dropped.
    [[nodiscard]] Result<> execute(std::span<const Value> values);
    [[nodiscard]] Result<std::vector<std::vector<Cell>>> query(std::span<const Value> values);

    [[nodiscard]] bool only_reads() const noexcept {
        return sqlite3_stmt_readonly(handle_.get()) != 0;
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    using Handle = std::unique_ptr<sqlite3_stmt, Finalize>;

    Statement(sqlite3* db, Handle handle, std::vector<int> places)
        : db_(db), handle_(std::move(handle)), places_(std::move(places)) {}

    [[nodiscard]] Result<> bind(std::span<const Value> values);
    [[nodiscard]] int bind_one(int place, const Value& value);
    [[nodiscard]] Result<> collect(std::vector<std::vector<Cell>>& rows);
    [[nodiscard]] Cell cell(int column);

    sqlite3* db_;
    Handle handle_;
    std::vector<int> places_;  // of $1..$n among SQLite's numbers
};

}  // namespace postern::store::sqlite
