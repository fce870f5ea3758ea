#pragma once

#include "features/trust/file_search.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/table_text.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <vector>

namespace postern::trust {

/// What a part of a table came to.
struct SearchedRows {
    std::int64_t rows = 0;
    FileSearch::Found found;        ///< in text and blobs
    std::vector<store::Cell> last;  ///< the key of the last row; empty: the table is through
};

/// Searches every text and blob of a table's rows after that key, for as long as one transaction
/// should last. Numbers are not looked at, nor is what lies outside the rows: the log of the
/// database, and what it has not yet overwritten of deleted ones.
/// Errors: those of the store.
[[nodiscard]] Result<SearchedRows> search_rows(store::Transaction& tx,
                                               const store::TableText& table,
                                               const FileSearch& search,
                                               std::vector<store::Cell> after);

}  // namespace postern::trust
