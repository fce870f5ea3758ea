#include "platform/store/sqlite/log_wipe.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/store/sqlite/sqlite_error.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <string>

namespace postern::store::sqlite {

namespace {

constexpr int k_pause_ms = 2;

/// SQLite itself does not sync after cutting: a power loss could bring the old log back.
/// It holds no locks on this file, so that closing it here is safe (on the database it is not).
Result<bool> synced_empty(const std::string& log) {
    const os::Fd file(::open(log.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid() && errno == ENOENT) return true;
    struct stat info{};
    if (!file.valid() || ::fstat(file.get(), &info) != 0 || ::fsync(file.get()) != 0) {
        return fail(system_error(log, errno));
    }
    return info.st_size == 0;
}

}  // namespace

Result<> empty_log(sqlite3* db, const std::string& file, Deadline deadline) {
    const std::string log = file + "-wal";
    do {
        const int code =
            sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
        if (code == SQLITE_OK) {
            POSTERN_TRY(const bool empty, synced_empty(log));
            if (empty) return {};
        } else if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED) {
            return fail(error_of(db, code));
        }
        sqlite3_sleep(k_pause_ms);
    } while (!deadline.passed());
    return fail(StoreError::busy, "the log could not be emptied in time");
}

Result<> rewrite(sqlite3* db) {
    // VACUUM attaches its copy, which is in memory; at other times nothing may be attached.
    const int before = sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1);
    const int code = sqlite3_exec(db, "VACUUM", nullptr, nullptr, nullptr);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, before);
    if (code != SQLITE_OK) return fail(error_of(db, code));
    return {};
}

}  // namespace postern::store::sqlite
