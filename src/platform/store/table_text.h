#pragma once

#include "platform/store/migration.h"
#include "platform/store/sql_text.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace postern::store {

/// The statements that read and write one table as a whole, generated from the data map and the
/// migrations. Key columns come first, in the key's order.
struct TableText {
    std::string_view name;
    std::size_t key_columns;
    std::size_t page_rows;
    SqlText first_page;
    SqlText next_page;  ///< after the key $1..$n
    SqlText insert;
    SqlText clear;
    SqlText count;
};

/// Every table of a store but the list of its migrations.
[[nodiscard]] std::span<const TableText> table_texts(StoreKind kind);

}  // namespace postern::store
