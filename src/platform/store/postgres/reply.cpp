#include "platform/store/postgres/reply.h"

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/row.h"
#include "platform/store/store_error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::store::postgres {

namespace {

constexpr int k_binary = 1;

/// Integers come with their highest byte first. Errors: corrupt.
Result<Cell> integer_of(std::string_view bytes, std::size_t size) {
    if (bytes.size() != size) return fail(StoreError::corrupt, "an integer's length");
    std::uint64_t number = 0;
    for (const char byte : bytes)
        number = number << 8U | static_cast<std::uint8_t>(byte);
    const auto unused_bits = 64 - 8 * size;
    return Cell(static_cast<std::int64_t>(number << unused_bits) >> unused_bits);
}

Result<Cell> truth_of(std::string_view bytes) {
    const bool fits = bytes.size() == 1 && (bytes[0] == 0 || bytes[0] == 1);
    if (!fits) return fail(StoreError::corrupt, "a boolean's form");
    return Cell(std::int64_t{bytes[0]});
}

template <typename T>
const T* cell_at(const Reply& reply, std::size_t row, std::size_t column) {
    if (row >= reply.rows.size() || column >= reply.rows[row].size()) return nullptr;
    return std::get_if<T>(&reply.rows[row][column]);
}

}  // namespace

const std::string* text_at(const Reply& reply, std::size_t row, std::size_t column) {
    return cell_at<std::string>(reply, row, column);
}
const std::int64_t* number_at(const Reply& reply, std::size_t row, std::size_t column) {
    return cell_at<std::int64_t>(reply, row, column);
}

Result<Cell> read_cell(Oid type, std::string_view bytes) {
    if (bytes.size() > k_value_bytes_max) return fail(StoreError::corrupt, "a value's length");
    switch (type) {
        case k_int8: return integer_of(bytes, 8);
        case k_int4: return integer_of(bytes, 4);
        case k_int2: return integer_of(bytes, 2);
        case k_bool: return truth_of(bytes);
        case k_bytea: return Cell(to_bytes(bytes));
        case k_text:
        case k_varchar:
        case k_name:
        case k_unknown: return Cell(std::string(bytes));
        default: return fail(StoreError::corrupt, "a value of type " + std::to_string(type));
    }
}

Result<Cell> ReplyReader::cell(const PGresult* result, int row, int column) {
    if (pq_->is_null(result, row, column) == 1) {
        bytes_ += sizeof(Cell);
        return Cell();
    }
    const auto* const value = pq_->value(result, row, column);
    const int length = pq_->length(result, row, column);
    if (value == nullptr || length < 0 || pq_->format(result, column) != k_binary) {
        return fail(StoreError::corrupt, "a value's form");
    }
    const std::string_view bytes(value, static_cast<std::size_t>(length));
    bytes_ += bytes.size();
    return read_cell(pq_->type(result, column), bytes);
}

Result<> ReplyReader::add_rows(const PGresult* result, Reply& reply) {
    const int rows = pq_->rows(result);
    const int columns = pq_->columns(result);
    for (int row = 0; row < rows; ++row) {
        if (reply.rows.size() == k_rows_max) return fail(StoreError::too_many_rows);
        auto& cells = reply.rows.emplace_back();
        cells.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            auto one = cell(result, row, column);
            if (!one) return fail(std::move(one.error()));
            cells.push_back(std::move(*one));
        }
        if (bytes_ > k_rows_bytes_max) return fail(StoreError::too_many_rows);
    }
    return {};
}

}  // namespace postern::store::postgres
