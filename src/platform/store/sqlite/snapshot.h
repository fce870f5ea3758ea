#pragma once

#include "foundation/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>

/// Copies of a database file that a migration is about to change, beside it: FILE.before-N, where N
/// is the first migration that they lack. Whoever opens the file holds its lock and no connection.
namespace postern::store::sqlite {

/// Whether take_snapshot() has the room it wants. Errors: disk_full, io_failed.
[[nodiscard]] Result<> check_room(const std::string& file);

/// Copies the file, whole and durable, and says so in the log. Nothing may have it open, and its
/// log must be written back. Returns the copy's name.
/// Errors: disk_full when there is no room for the copy and for a migration that writes as much
/// again, io_failed.
[[nodiscard]] Result<std::string> take_snapshot(const std::string& file, std::int64_t before);

/// Deletes all but the newest `kept` copies. Errors: io_failed.
[[nodiscard]] Result<> prune_snapshots(const std::string& file, std::size_t kept);

/// Overwrites and deletes all copies: what is destroyed in the file must not live on in one of
/// them. Errors: io_failed.
[[nodiscard]] Result<> wipe_snapshots(const std::string& file);

}  // namespace postern::store::sqlite
