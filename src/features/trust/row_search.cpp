#include "features/trust/row_search.h"

#include "features/trust/file_search.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/table_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace postern::trust {
namespace {

/// Read in one transaction: nobody waits long for it.
constexpr std::uint64_t k_part_bytes = 16U << 20U;
constexpr std::int64_t k_part_rows = 5'000;

std::optional<ByteView> bytes_of(const store::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return as_bytes(*text);
    if (const auto* blob = std::get_if<Bytes>(&cell)) return ByteView(*blob);
    return std::nullopt;
}

std::vector<store::Value> values_of(const std::vector<store::Cell>& key) {
    std::vector<store::Value> values;
    for (const auto& cell : key) {
        if (const auto* number = std::get_if<std::int64_t>(&cell)) {
            values.emplace_back(*number);
        } else if (const auto* text = std::get_if<std::string>(&cell)) {
            values.emplace_back(store::Clear::text(*text));
        } else if (const auto* blob = std::get_if<Bytes>(&cell)) {
            values.emplace_back(store::Clear::bytes(*blob));
        } else {
            values.emplace_back(std::nullopt);
        }
    }
    return values;
}

Result<std::vector<store::Row>> page(store::Transaction& tx,
                                     const store::TableText& table,
                                     const std::vector<store::Cell>& after) {
    const auto values = values_of(after);
    const auto sql = after.empty() ? table.first_page : table.next_page;
    return tx.query(sql, std::span<const store::Value>(values));
}

}  // namespace

Result<SearchedRows> search_rows(store::Transaction& tx,
                                 const store::TableText& table,
                                 const FileSearch& search,
                                 std::vector<store::Cell> after) {
    SearchedRows out;
    out.last = std::move(after);
    while (true) {
        POSTERN_TRY(const auto rows, page(tx, table, out.last));
        for (const auto& row : rows) {
            for (const auto& cell : row.cells()) {
                const auto bytes = bytes_of(cell);
                if (!bytes) continue;
                out.found.bytes += bytes->size();
                search.look(*bytes, out.found);
            }
        }
        out.rows += static_cast<std::int64_t>(rows.size());
        out.last.clear();
        if (rows.size() < table.page_rows) return out;
        const auto key = rows.back().cells().first(table.key_columns);
        out.last.assign(key.begin(), key.end());
        if (out.found.bytes >= k_part_bytes || out.rows >= k_part_rows) return out;
    }
}

}  // namespace postern::trust
