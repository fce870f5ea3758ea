#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/lock_file.h"

#include <memory>
#include <optional>

namespace postern::store {

/// The one writing connection to a store, which is locked and up to date.
struct OpenStore {
    std::optional<LockFile> lock;  ///< of a file; on a server the connection itself holds it
    std::unique_ptr<Connection> writer;
};

/// Errors: as Database::open.
[[nodiscard]] Result<OpenStore> open_store(const Database::Options& options);
/// Whether open_store() would migrate what is there, and could: there is room for the copy. Changes
/// nothing. Errors: as Database::open.
[[nodiscard]] Result<bool> is_behind(const Database::Options& options);
/// One more connection to a store that open_store() has opened.
[[nodiscard]] Result<std::unique_ptr<Connection>> open_reader(const Database::Options& options);

}  // namespace postern::store
