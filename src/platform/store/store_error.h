#pragma once

#include "foundation/base/error.h"

namespace postern::store {

/// What a database, its file or its disk can cause. `bad_statement` and `row_refused` are bugs of
/// ours that show as an error of one request.
enum class StoreError {
    in_use,             ///< another process holds the store
    not_found,          ///< no such file, and creating was not asked for
    not_a_store,        ///< no database, or not one of this kind
    corrupt,            ///< the file is damaged, or a value is not of its declared type
    newer_version,      ///< written by a newer program
    migration_changed,  ///< a released migration's text differs from the one applied
    migration_failed,
    disk_full,  ///< nothing of the transaction was written
    io_failed,
    busy,           ///< a lock was not given up in time
    conflict,       ///< unique or foreign key
    row_refused,    ///< NOT NULL, CHECK or type
    bad_statement,  ///< the SQL, its parameters, or a write in a read
    too_many_rows,  ///< more than k_rows_max or k_rows_bytes_max
    too_large,      ///< a value over k_value_bytes_max
    body_threw,     ///< a bug: an exception ended a transaction's body
    closed,
    // Of a database server only:
    overtaken,        ///< another transaction was in the way; the whole one may be run once more
    connection_lost,  ///< before the commit: nothing was changed, and it may be run once more
    unreachable,      ///< no address answers, or none takes writes
    outcome_unknown,  ///< lost during the commit: it may be written or not; never run it again
    login_refused,
    not_permitted,  ///< the database user lacks a right
    not_empty,      ///< there is a store where a new one was to be made
    unsuitable,     ///< a setting of the cluster would keep what is destroyed, or lose what is not
    no_library,     ///< libpq is not installed
};

/// The transaction had no effect, and running it from its beginning is worth a try.
constexpr bool is_transient(StoreError error) {
    return error == StoreError::overtaken || error == StoreError::connection_lost;
}

constexpr ErrorInfo describe(StoreError error) {
    switch (error) {
        case StoreError::in_use:
            return {"store_in_use", "Another process of this server has the store open."};
        case StoreError::not_found: return {"store_not_found", "There is no store here yet."};
        case StoreError::not_a_store:
            return {"not_a_store", "This file is not a store of the expected kind."};
        case StoreError::corrupt: return {"store_corrupt", "The store is damaged."};
        case StoreError::newer_version:
            return {"store_newer_version", "The store was written by a newer version."};
        case StoreError::migration_changed:
            return {"migration_changed",
                    "The store was made by a different build of this version."};
        case StoreError::migration_failed:
            return {"migration_failed", "The store could not be brought to this version."};
        case StoreError::disk_full: return {"disk_full", "The disk is full; nothing was changed."};
        case StoreError::io_failed:
            return {"store_io_failed", "The disk did not answer as it should."};
        case StoreError::busy: return {"store_busy", "The store is busy. Please try again."};
        case StoreError::conflict:
            return {"conflict", "This already exists or has changed meanwhile."};
        case StoreError::row_refused: return {"internal", "Something went wrong on our side."};
        case StoreError::bad_statement: return {"internal", "Something went wrong on our side."};
        case StoreError::too_many_rows: return {"internal", "Something went wrong on our side."};
        case StoreError::too_large: return {"too_large", "This is too large to be stored."};
        case StoreError::body_threw: return {"internal", "Something went wrong on our side."};
        case StoreError::closed: return {"store_closed", "The server is stopping."};
        case StoreError::overtaken: return {"store_busy", "The store is busy. Please try again."};
        case StoreError::connection_lost:
        case StoreError::unreachable:
            return {"store_unreachable",
                    "The database cannot be reached at the moment; nothing was changed. Please try "
                    "again."};
        case StoreError::outcome_unknown:
            return {"store_outcome_unknown",
                    "The connection to the database broke while this was being written: it may be "
                    "written or not. Look before you repeat it."};
        case StoreError::login_refused:
            return {"store_login_refused", "The database refuses its user or password."};
        case StoreError::not_permitted:
            return {"store_not_permitted", "The database user lacks a right that is needed."};
        case StoreError::not_empty:
            return {"store_not_empty", "There is a store already; nothing was changed."};
        case StoreError::unsuitable:
            return {"store_unsuitable", "The database's settings do not fit this store."};
        case StoreError::no_library:
            return {"store_no_library", "libpq.so.5 is not installed; PostgreSQL needs it."};
    }
    return {"internal", "Something went wrong on our side."};
}

}  // namespace postern::store
