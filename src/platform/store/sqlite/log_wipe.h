#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"

#include <sqlite3.h>
#include <string>

namespace postern::store::sqlite {

/// Moves the write-ahead log into the database, cuts it to nothing and makes that durable. Success
/// means that it was seen empty. Waits for readers of old snapshots. Errors: busy, io_failed.
[[nodiscard]] Result<> empty_log(sqlite3* db, const std::string& file, Deadline deadline);

/// Writes the whole database anew. secure_delete alone is not enough to destroy a value: where
/// neighbouring pages were balanced, a copy may stay behind in a page's unused part.
[[nodiscard]] Result<> rewrite(sqlite3* db);

}  // namespace postern::store::sqlite
