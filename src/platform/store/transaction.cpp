#include "platform/store/transaction.h"

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace postern::store {

namespace {

std::span<const Value> as_span(std::initializer_list<Value> values) {
    return {values.begin(), values.size()};
}

}  // namespace

Result<std::int64_t> Transaction::execute(SqlText sql, std::initializer_list<Value> values) {
    if (const auto failure = verdict_->failure) return fail(*failure);
    auto changed = connection_.execute(sql, as_span(values));
    if (!changed) verdict_->fail_with(changed.error(), true);
    return changed;
}

void Transaction::execute_later(SqlText sql, std::initializer_list<Value> values) {
    if (verdict_->failure) return;
    auto done = connection_.execute_later(sql, as_span(values));
    if (!done) verdict_->fail_with(std::move(done.error()), false);
}

Result<std::vector<Row>> Transaction::run(SqlText sql, std::span<const Value> values) {
    if (const auto failure = verdict_->failure) return fail(*failure);
    auto found = connection_.query(sql, values);
    if (!found) {
        verdict_->fail_with(found.error(), true);
        return fail(std::move(found.error()));
    }
    std::vector<Row> rows;
    rows.reserve(found->size());
    for (auto& cells : *found)
        rows.emplace_back(std::move(cells), verdict_);
    return rows;
}

Result<std::vector<Row>> Transaction::query(SqlText sql, std::initializer_list<Value> values) {
    return run(sql, as_span(values));
}

Result<std::vector<Row>> Transaction::query(SqlText sql, std::span<const Value> values) {
    return run(sql, values);
}

Result<std::optional<Row>> Transaction::query_one(SqlText sql,
                                                  std::initializer_list<Value> values) {
    auto rows = run(sql, as_span(values));
    if (!rows) return fail(std::move(rows.error()));
    if (rows->empty()) return std::optional<Row>();
    if (rows->size() > 1) {
        Error error(StoreError::corrupt, "more than one row");
        verdict_->fail_with(error, true);
        return fail(std::move(error));
    }
    return std::optional<Row>(std::move(rows->front()));
}

}  // namespace postern::store
