#pragma once

#include "foundation/base/error.h"

#include <sqlite3.h>

namespace postern::store::sqlite {

/// The failure of the last call on `db` as a StoreError. The detail names SQLite's code, and for
/// statements refused at preparing and for constraints its message, which holds names of the
/// schema and never a bound value.
[[nodiscard]] Error error_of(sqlite3* db, int code);

}  // namespace postern::store::sqlite
