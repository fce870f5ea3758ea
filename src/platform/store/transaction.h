#pragma once

#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/value.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace postern::store {

class Connection;

/// What a body passed to Database::read or write works with. It commits when the body returns a
/// value and every statement in it succeeded; otherwise it rolls back and the first error is the
/// answer. So a body cannot swallow a conflict (PostgreSQL would not let it either): say
/// ON CONFLICT DO NOTHING and look at the number of changed rows.
class Transaction {
public:
    Transaction(Connection& connection, std::shared_ptr<Verdict> verdict)
        : connection_(connection), verdict_(std::move(verdict)) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// The number of changed rows.
    Result<std::int64_t> execute(SqlText sql, std::initializer_list<Value> values = {});
    /// For many small writes in a row: none is waited for. They run in their order, before anything
    /// that follows, and where one fails the transaction fails, though not at that line.
    void execute_later(SqlText sql, std::initializer_list<Value> values = {});
    /// The whole answer. Errors: too_many_rows: bound large ones with LIMIT.
    Result<std::vector<Row>> query(SqlText sql, std::initializer_list<Value> values = {});
    /// The same for as many values as a table's key has. Lifetime: the values outlive the call.
    Result<std::vector<Row>> query(SqlText sql, std::span<const Value> values);
    /// At most one row; a second one is StoreError::corrupt.
    Result<std::optional<Row>> query_one(SqlText sql, std::initializer_list<Value> values = {});

private:
    Result<std::vector<Row>> run(SqlText sql, std::span<const Value> values);

    Connection& connection_;
    std::shared_ptr<Verdict> verdict_;
};

/// For a statement of which nobody asks how many rows it changed.
[[nodiscard]] inline Result<> done(Result<std::int64_t> changed) {
    if (!changed) return fail(std::move(changed.error()));
    return {};
}

}  // namespace postern::store
