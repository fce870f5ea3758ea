#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace postern::store {

class Connection;

/// The three databases: `store` holds the product's rows, `keyring` what only keeper opens,
/// `index` the blind indexes that are in no backup.
enum class StoreKind : std::uint8_t { store, keyring, index };

/// One numbered step of a schema, never edited after a release. The views are of static text.
struct Migration {
    std::int64_t number;
    std::string_view name;
    std::string_view checksum;  ///< SHA-256 of the text, in hexadecimal
    std::string_view sql;
};

/// The files of migrations/<kind>/, as embedded at build time, numbers ascending from 1.
[[nodiscard]] std::span<const Migration> embedded_migrations(StoreKind kind);

/// The number of the first migration that a store with rows in it lacks: nothing for a new store
/// and one that is up to date. Errors: newer_version (names both versions), migration_changed.
[[nodiscard]] Result<std::optional<std::int64_t>> first_missing(
    Connection& connection, std::span<const Migration> migrations);

/// Applies what is missing, each in a transaction of its own. Errors: newer_version,
/// migration_changed, migration_failed, and those of the disk; what was applied before stays.
[[nodiscard]] Result<> migrate(Connection& connection,
                               std::span<const Migration> migrations,
                               const Clock& clock);

}  // namespace postern::store
