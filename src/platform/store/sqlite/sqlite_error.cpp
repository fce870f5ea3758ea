#include "platform/store/sqlite/sqlite_error.h"

#include "foundation/base/error.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"

#include <string>
#include <utility>

namespace postern::store::sqlite {

namespace {

StoreError constraint(int extended) {
    switch (extended) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
        case SQLITE_CONSTRAINT_FOREIGNKEY: return StoreError::conflict;
        default: return StoreError::row_refused;
    }
}

StoreError classify(int extended, int system_number) {
    switch (extended & 0xff) {
        case SQLITE_CONSTRAINT: return constraint(extended);
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return StoreError::busy;
        case SQLITE_FULL: return StoreError::disk_full;
        case SQLITE_CORRUPT: return StoreError::corrupt;
        case SQLITE_NOTADB: return StoreError::not_a_store;
        case SQLITE_TOOBIG: return StoreError::too_large;
        case SQLITE_ERROR:
        case SQLITE_MISUSE:
        case SQLITE_RANGE:
        case SQLITE_MISMATCH:
        case SQLITE_AUTH: return StoreError::bad_statement;
        // query_only and a file system mounted read-only differ in the extended code only.
        case SQLITE_READONLY:
            return extended == SQLITE_READONLY ? StoreError::bad_statement : StoreError::io_failed;
        default:
            return means_no_room(system_number) ? StoreError::disk_full : StoreError::io_failed;
    }
}

}  // namespace

Error error_of(sqlite3* db, int code) {
    const int extended =
        db != nullptr && (code & 0xff) == code ? sqlite3_extended_errcode(db) : code;
    const int system_number = db != nullptr ? sqlite3_system_errno(db) : 0;
    const auto error = classify(extended, system_number);
    std::string detail = "sqlite " + std::to_string(extended) + ": " + sqlite3_errstr(extended);
    if (db != nullptr && (error == StoreError::bad_statement || error == StoreError::conflict ||
                          error == StoreError::row_refused)) {
        detail += std::string(": ") + sqlite3_errmsg(db);
    }
    if (error == StoreError::io_failed && system_number != 0) {
        return system_error(detail, system_number);
    }
    return {error, std::move(detail)};
}

}  // namespace postern::store::sqlite
