#pragma once

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"

#include <chrono>
#include <memory>
#include <string>

namespace postern::store::sqlite {

struct ConnectionOptions {
    std::string file;  ///< relative to the working directory
    StoreKind kind = StoreKind::store;
    Access access = Access::write;
    bool create = false;
    std::chrono::milliseconds busy_timeout{5000};
};

/// Opens the file with every protective setting on and read back: WAL, synchronous=FULL,
/// secure_delete, foreign keys, no schema of the file is trusted, temporary data in memory.
/// Errors: not_found, not_a_store, corrupt, disk_full, io_failed, busy.
[[nodiscard]] Result<std::unique_ptr<Connection>> connect(const ConnectionOptions& options);

}  // namespace postern::store::sqlite
