#include "platform/store/opening.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/lock_file.h"
#include "platform/store/migration.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/sqlite/sqlite_connection.h"

#include <memory>
#include <utility>

namespace postern::store {

namespace {

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

}  // namespace

Result<OpenStore> open_store(const Database::Options& options) {
    OpenStore store;
    if (!options.server) {
        POSTERN_TRY(store.lock, LockFile::take(options.file + ".lock"));
    }
    POSTERN_TRY(store.writer, connect(options, Access::write));
    const SystemClock system_clock;
    const Clock& clock = options.clock != nullptr ? *options.clock : system_clock;
    const auto migrations = options.migrations.value_or(embedded_migrations(options.kind));
    if (auto done = migrate(*store.writer, migrations, clock); !done)
        return fail(std::move(done.error()));
    return store;
}

Result<std::unique_ptr<Connection>> open_reader(const Database::Options& options) {
    return connect(options, Access::read);
}

}  // namespace postern::store
