#include "platform/store/sqlite/opening.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/sqlite/relative_vfs.h"
#include "platform/store/sqlite/sqlite_connection.h"
#include "platform/store/sqlite/sqlite_error.h"
#include "platform/store/sqlite/statement.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::store::sqlite {

namespace {

/// A setting and what reading it back must give; fixed text, one row, one column.
struct Setting {
    const char* set;
    const char* get;
    std::string_view wanted;
};

constexpr std::array k_settings = {
    Setting{"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0"},
    Setting{"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1"},
    Setting{"PRAGMA mmap_size=0", nullptr, ""},
    Setting{"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
    Setting{"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"},
    Setting{"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
    Setting{"PRAGMA fullfsync=ON", nullptr, ""},
    Setting{"PRAGMA checkpoint_fullfsync=ON", nullptr, ""},
    Setting{"PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1"},
    Setting{"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1"},
    Setting{"PRAGMA recursive_triggers=OFF", nullptr, ""},
    // What the log may keep after a checkpoint; it grows beyond only while a reader holds it up.
    Setting{"PRAGMA journal_size_limit=4194304", "PRAGMA journal_size_limit", "4194304"},
};
constexpr Setting k_read_only = {"PRAGMA query_only=ON", "PRAGMA query_only", "1"};

/// "PST" and the kind, in SQLite's application_id: a store of another kind is told from ours.
std::int64_t application_id(StoreKind kind) {
    return 0x50535400 + static_cast<std::int64_t>(kind) + 1;
}

Result<> run(sqlite3* db, const std::string& sql) {
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error_of(db, code));
    return {};
}

Result<std::string> read_one(sqlite3* db, std::string_view sql) {
    POSTERN_TRY(auto statement, Statement::prepare(db, sql));
    POSTERN_TRY(const auto rows, statement.query({}));
    if (rows.size() != 1 || rows[0].size() != 1) return fail(StoreError::corrupt, std::string(sql));
    if (const auto* number = std::get_if<std::int64_t>(&rows[0][0])) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&rows[0][0])) return *text;
    return fail(StoreError::corrupt, std::string(sql));
}

Result<> apply(sqlite3* db, const Setting& setting) {
    if (auto done = run(db, setting.set); !done) return done;
    if (setting.get == nullptr) return {};
    POSTERN_TRY(const auto now, read_one(db, setting.get));
    if (now != setting.wanted)
        return fail(StoreError::io_failed, std::string(setting.set) + " did not hold");
    return {};
}

Result<> configure(sqlite3* db) {
    constexpr std::array k_switches = {
        std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_DQS_DML, 0}, std::pair{SQLITE_DBCONFIG_DQS_DDL, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};
    for (const auto& [name, on] : k_switches) {
        int now = -1;
        const int code = sqlite3_db_config(db, name, on, &now);
        if (code != SQLITE_OK || now != on) return fail(StoreError::io_failed, "sqlite3_db_config");
    }
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(k_value_bytes_max));
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    return {};
}

std::string folder_of(const std::string& file) {
    const auto slash = file.rfind('/');
    return slash == std::string::npos ? "." : file.substr(0, slash + 1);
}

Result<> sync_folder(const std::string& file) {
    const auto folder = folder_of(file);
    const os::Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.valid() || ::fsync(opened.get()) != 0) {
        return fail(system_error(folder, errno));
    }
    return {};
}

/// Makes the file, empty and private: SQLite would use the process's umask.
Result<> ensure_file(const ConnectionOptions& options) {
    struct stat info{};
    if (::lstat(options.file.c_str(), &info) == 0) {
        if (!S_ISREG(info.st_mode)) return fail(StoreError::not_a_store, options.file);
        if (info.st_size == 0 && !options.create)
            return fail(StoreError::not_a_store, options.file);
        return {};
    }
    if (errno != ENOENT) return fail(system_error(options.file, errno));
    if (!options.create) return fail(StoreError::not_found, options.file);
    const os::Fd made(
        ::open(options.file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made.valid()) {
        return fail(system_error(options.file, errno));
    }
    return sync_folder(options.file);
}

/// A database is ours if it carries our mark, or holds nothing yet.
Result<> check_kind(sqlite3* db, const ConnectionOptions& options) {
    const auto wanted = std::to_string(application_id(options.kind));
    POSTERN_TRY(const auto mark, read_one(db, "PRAGMA application_id"));
    if (mark == wanted) return {};
    POSTERN_TRY(const auto objects, read_one(db, "SELECT count(*) FROM sqlite_schema"));
    const bool empty = mark == "0" && objects == "0";
    if (!empty || !options.create) {
        return fail(StoreError::not_a_store, options.file + ": application_id " + mark);
    }
    return run(db, "PRAGMA application_id=" + wanted);
}

Result<DatabaseHandle> open_handle(const ConnectionOptions& options) {
    const char* const vfs = relative_vfs();
    if (vfs == nullptr) return fail(StoreError::io_failed, "sqlite3_vfs_register");
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                      SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(options.file.c_str(), &raw, flags, vfs);
    DatabaseHandle db(raw);
    if (code != SQLITE_OK) return fail(error_of(raw, code));
    sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
    return db;
}

}  // namespace

Result<DatabaseHandle> open_database(const ConnectionOptions& options) {
    if (auto there = ensure_file(options); !there) return fail(std::move(there.error()));
    POSTERN_TRY(auto db, open_handle(options));
    if (auto done = configure(db.get()); !done) return fail(std::move(done.error()));
    // Before anything is written: a foreign file is left as it was found.
    if (auto ours = check_kind(db.get(), options); !ours) return fail(std::move(ours.error()));
    for (const auto& setting : k_settings) {
        if (auto done = apply(db.get(), setting); !done) return fail(std::move(done.error()));
    }
    if (options.access == Access::read) {
        if (auto done = apply(db.get(), k_read_only); !done) return fail(std::move(done.error()));
    }
    return db;
}

}  // namespace postern::store::sqlite
