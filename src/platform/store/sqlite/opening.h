#pragma once

#include "foundation/base/result.h"
#include "platform/store/sqlite/sqlite_connection.h"

#include <sqlite3.h>
#include <memory>

namespace postern::store::sqlite {

struct CloseDatabase {
    // _v2: a database that still has a statement is closed with the last of them.
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

/// The steps of connect(): the file, its kind, the settings, each read back.
[[nodiscard]] Result<DatabaseHandle> open_database(const ConnectionOptions& options);

}  // namespace postern::store::sqlite
