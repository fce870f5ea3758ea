#include "platform/store/opening.h"

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/lock_file.h"
#include "platform/store/migration.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/sqlite/snapshot.h"
#include "platform/store/sqlite/sqlite_connection.h"
#include "platform/store/store_error.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace postern::store {

namespace {

/// How long emptying the log waits for readers of old snapshots.
constexpr std::chrono::seconds k_checkpoint_wait{10};
/// How many copies from before a migration are kept of the bulk store: each is the way back to a
/// release. Its values are noise without the keyring.
constexpr std::size_t k_snapshots_kept = 2;

Result<std::unique_ptr<Connection>> connect(const Database::Options& options, Access access) {
    const bool create = options.create && access == Access::write;
    if (options.server) {
        return postgres::connect({.server = *options.server,
                                  .kind = options.kind,
                                  .access = access,
                                  .create = create,
                                  .only_new = options.only_new && create,
                                  .busy_timeout = options.busy_timeout});
    }
    return sqlite::connect({.file = options.file,
                            .kind = options.kind,
                            .access = access,
                            .create = create,
                            .busy_timeout = options.busy_timeout});
}

/// A copy of the file, before a migration changes what is there. Closing writes the log back first.
Result<> copy_before_migrating(const Database::Options& options,
                               std::span<const Migration> migrations) {
    POSTERN_TRY(auto connection, connect(options, Access::write));
    POSTERN_TRY(const auto missing, first_missing(*connection, migrations));
    // An index is made anew wherever it is missing.
    if (!missing || options.kind == StoreKind::index) return {};
    auto written = connection->purge(Purge::log_only, Deadline::in(k_checkpoint_wait));
    if (!written) return written;
    connection.reset();
    // One of an earlier try may hold what was destroyed since.
    if (options.kind == StoreKind::keyring) {
        if (auto wiped = sqlite::wipe_snapshots(options.file); !wiped) return wiped;
    }
    POSTERN_TRY([[maybe_unused]] const auto name, sqlite::take_snapshot(options.file, *missing));
    return {};
}

/// A keyring's copy would keep what a cut-off destroys: it lives until the migration has succeeded
/// (docs/design/0016-snapshots-before-migrations.md).
Result<> settle_snapshots(const Database::Options& options) {
    if (options.kind == StoreKind::keyring) return sqlite::wipe_snapshots(options.file);
    return sqlite::prune_snapshots(options.file, k_snapshots_kept);
}

/// What can be put in the place of the bulk store; empty: there is nothing that would help.
std::string way_back(StoreError error, bool on_server) {
    const bool newer = error == StoreError::newer_version;
    if (newer && on_server) return ", or restore a backup of the database from before";
    if (newer) return ", or put the copy that was made before the migration in its place";
    if (error == StoreError::migration_changed) return "; start the program that wrote it";
    const bool helps = error == StoreError::not_found || error == StoreError::not_a_store ||
                       error == StoreError::corrupt;
    return helps && !on_server ? "; put a copy of it in its place" : "";
}

Error with_way_back(Error error, const Database::Options& options) {
    const auto code = error.as<StoreError>();
    if (!code || options.kind != StoreKind::store) return error;
    return {*code, error.detail() + way_back(*code, options.server.has_value())};
}

Result<> bring_up_to_date(const Database::Options& options, OpenStore& store) {
    const auto migrations = options.migrations.value_or(embedded_migrations(options.kind));
    if (!options.server) {
        auto copied = copy_before_migrating(options, migrations);
        if (!copied) return copied;
    }
    POSTERN_TRY(store.writer, connect(options, Access::write));
    const SystemClock system_clock;
    const Clock& clock = options.clock != nullptr ? *options.clock : system_clock;
    auto done = migrate(*store.writer, migrations, clock);
    if (done && !options.server) done = settle_snapshots(options);
    return done;
}

}  // namespace

Result<OpenStore> open_store(const Database::Options& options) {
    OpenStore store;
    if (!options.server) {
        POSTERN_TRY(store.lock, LockFile::take(options.file + ".lock"));
    }
    if (auto done = bring_up_to_date(options, store); !done) {
        return fail(with_way_back(std::move(done.error()), options));
    }
    return store;
}

Result<bool> is_behind(const Database::Options& options) {
    std::optional<LockFile> lock;
    if (!options.server) {
        POSTERN_TRY(lock, LockFile::take(options.file + ".lock"));
    }
    const auto migrations = options.migrations.value_or(embedded_migrations(options.kind));
    POSTERN_TRY(auto connection, connect(options, Access::write));
    const auto missing = first_missing(*connection, migrations);
    if (!missing) return fail(with_way_back(missing.error(), options));
    if (!*missing) return false;
    // Closing writes the log back: the file is then as long as its copy.
    connection.reset();
    if (options.server) return true;
    if (auto room = sqlite::check_room(options.file); !room) return fail(std::move(room.error()));
    return true;
}

Result<std::unique_ptr<Connection>> open_reader(const Database::Options& options) {
    return connect(options, Access::read);
}

}  // namespace postern::store
