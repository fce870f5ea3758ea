#include "platform/store/sqlite/statement.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/sqlite/sqlite_error.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store::sqlite {

namespace {

/// Leaves a statement ready for its next use, whichever way its use ends.
class ResetAtEnd {
public:
    explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
    ~ResetAtEnd() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
    ResetAtEnd(const ResetAtEnd&) = delete;
    ResetAtEnd& operator=(const ResetAtEnd&) = delete;

private:
    sqlite3_stmt* statement_;
};

bool only_space(std::string_view text) {
    return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

std::size_t size_of(const Cell& cell) {
    if (const auto* bytes = std::get_if<Bytes>(&cell)) return bytes->size();
    if (const auto* text = std::get_if<std::string>(&cell)) return text->size();
    return sizeof(Cell);
}

}  // namespace

Result<Statement> Statement::prepare(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, &rest);
    Handle handle(raw);
    if (code != SQLITE_OK) return fail(error_of(db, code));
    if (!handle || !only_space(sql.substr(static_cast<std::size_t>(rest - sql.data())))) {
        return fail(StoreError::bad_statement, "not exactly one statement");
    }
    std::vector<int> places;
    const int count = sqlite3_bind_parameter_count(raw);
    for (int i = 1; i <= count; ++i) {
        const int place = sqlite3_bind_parameter_index(raw, ("$" + std::to_string(i)).c_str());
        if (place == 0) return fail(StoreError::bad_statement, "parameters are not $1..$n");
        places.push_back(place);
    }
    return Statement(db, std::move(handle), std::move(places));
}

int Statement::bind_one(int place, const Value& value) {
    const auto& content = value.content();
    // SQLITE_STATIC: the values outlive the use, after which the bindings are cleared. An empty
    // view may have no address, which SQLite would take for NULL.
    if (const auto* number = std::get_if<std::int64_t>(&content)) {
        return sqlite3_bind_int64(handle_.get(), place, *number);
    }
    if (const auto* text = std::get_if<std::string_view>(&content)) {
        return sqlite3_bind_text64(handle_.get(), place, text->empty() ? "" : text->data(),
                                   text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (const auto* bytes = std::get_if<ByteView>(&content)) {
        if (bytes->empty()) return sqlite3_bind_zeroblob(handle_.get(), place, 0);
        return sqlite3_bind_blob64(handle_.get(), place, bytes->data(), bytes->size(),
                                   SQLITE_STATIC);
    }
    return sqlite3_bind_null(handle_.get(), place);
}

Result<> Statement::bind(std::span<const Value> values) {
    if (values.size() != places_.size()) {
        return fail(StoreError::bad_statement, std::to_string(values.size()) + " values for " +
                                                   std::to_string(places_.size()) + " parameters");
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const int code = bind_one(places_[i], values[i]);
        if (code != SQLITE_OK) return fail(error_of(db_, code));
    }
    return {};
}

Result<> Statement::execute(std::span<const Value> values) {
    const ResetAtEnd reset(handle_.get());
    if (auto bound = bind(values); !bound) return bound;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW)
        code = sqlite3_step(handle_.get());
    if (code != SQLITE_DONE) return fail(error_of(db_, code));
    return {};
}

Cell Statement::cell(int column) {
    sqlite3_stmt* row = handle_.get();
    switch (sqlite3_column_type(row, column)) {
        case SQLITE_INTEGER: return sqlite3_column_int64(row, column);
        case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
            return text != nullptr ? std::string(text, size) : std::string();
        }
        case SQLITE_BLOB: {
            const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, column));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
            return bytes != nullptr ? Bytes(bytes, bytes + size) : Bytes();
        }
        // A REAL is in no table of ours; as NULL it fails every getter but is_null.
        default: return std::monostate();
    }
}

Result<> Statement::collect(std::vector<std::vector<Cell>>& rows) {
    const int columns = sqlite3_column_count(handle_.get());
    std::size_t bytes = 0;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(handle_.get())) == SQLITE_ROW) {
        if (rows.size() == k_rows_max) return fail(StoreError::too_many_rows);
        auto& cells = rows.emplace_back();
        cells.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            cells.push_back(cell(column));
            bytes += size_of(cells.back());
        }
        if (bytes > k_rows_bytes_max) return fail(StoreError::too_many_rows);
    }
    if (code != SQLITE_DONE) return fail(error_of(db_, code));
    return {};
}

Result<std::vector<std::vector<Cell>>> Statement::query(std::span<const Value> values) {
    const ResetAtEnd reset(handle_.get());
    if (auto bound = bind(values); !bound) return fail(std::move(bound.error()));
    std::vector<std::vector<Cell>> rows;
    if (auto done = collect(rows); !done) return fail(std::move(done.error()));
    return rows;
}

}  // namespace postern::store::sqlite
