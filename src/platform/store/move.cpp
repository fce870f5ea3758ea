#include "platform/store/move.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/os/fd.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/opening.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/sqlite/snapshot.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"
#include "platform/store/table_text.h"
#include "platform/store/value.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store {

namespace {

using Cells = std::vector<Cell>;

constexpr std::string_view k_make_mark =
    "CREATE TABLE IF NOT EXISTS unfinished_copy (workspace_id {blob} NOT NULL PRIMARY KEY) STRICT";
constexpr std::string_view k_drop_mark = "DROP TABLE IF EXISTS unfinished_copy";
constexpr SqlText k_count_marks_in_file =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'unfinished_copy'";
constexpr SqlText k_count_marks_on_server =
    "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = 'unfinished_copy' AND "
    "relnamespace = current_schema()::regnamespace";
constexpr std::chrono::minutes k_purge_time{10};

/// The rows of one table so far, each with all before it.
struct Digest {
    std::int64_t rows = 0;
    Bytes hash;

    void add(const Cells& cells);
    bool operator==(const Digest&) const = default;
};

void put(Bytes& out, std::size_t kind, ByteView content) {
    out.push_back(static_cast<std::uint8_t>(kind));
    for (unsigned shift = 0; shift < 64; shift += 8)
        out.push_back(static_cast<std::uint8_t>(content.size() >> shift & 0xffU));
    out.insert(out.end(), content.begin(), content.end());
}

void Digest::add(const Cells& cells) {
    Bytes text = hash;
    for (const auto& cell : cells) {
        if (const auto* number = std::get_if<std::int64_t>(&cell)) {
            put(text, cell.index(), as_bytes(std::to_string(*number)));
        } else if (const auto* words = std::get_if<std::string>(&cell)) {
            put(text, cell.index(), as_bytes(*words));
        } else if (const auto* bytes = std::get_if<Bytes>(&cell)) {
            put(text, cell.index(), *bytes);
        } else {
            put(text, cell.index(), {});
        }
    }
    hash = to_bytes(ByteView(crypto::sha256(text)));
    ++rows;
}

Value value_of(const Cell& cell) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
    if (const auto* words = std::get_if<std::string>(&cell)) return Clear::text(*words);
    if (const auto* bytes = std::get_if<Bytes>(&cell)) return Clear::bytes(*bytes);
    return std::nullopt;
}

std::vector<Value> values_of(std::span<const Cell> cells) {
    std::vector<Value> values;
    values.reserve(cells.size());
    for (const auto& cell : cells)
        values.push_back(value_of(cell));
    return values;
}

/// Every row of a table, in the order of its key.
Result<Digest> read_table(Connection& connection,
                          const TableText& table,
                          const std::function<Result<>(const Cells&)>& use) {
    Digest digest;
    Cells last;
    while (true) {
        const auto after = values_of(std::span(last).first(last.empty() ? 0 : table.key_columns));
        POSTERN_TRY(auto rows,
                    connection.query(last.empty() ? table.first_page : table.next_page, after));
        for (const auto& cells : rows) {
            digest.add(cells);
            if (auto used = use(cells); !used) return fail(std::move(used.error()));
        }
        if (rows.size() < table.page_rows) return digest;
        last = std::move(rows.back());
    }
}

/// One transaction around `work`, rolled back when it fails.
template <typename F>
Result<> in_transaction(Connection& connection, Access access, F work) {
    if (auto begun = connection.begin(access); !begun) return begun;
    Result<> done = work();
    if (done) return connection.commit();
    connection.rollback();
    return done;
}

Result<> run_script(Connection& connection, std::string_view text) {
    return in_transaction(connection, Access::write,
                          [&] { return connection.run_migration(text); });
}

Result<std::int64_t> count_by(Connection& connection, SqlText sql) {
    POSTERN_TRY(const auto rows, connection.query(sql, {}));
    const auto* count = std::get_if<std::int64_t>(&rows.at(0).at(0));
    if (count == nullptr) return fail(StoreError::corrupt, "a number of rows");
    return *count;
}

Result<> check_empty(Connection& connection, StoreKind kind) {
    return in_transaction(connection, Access::read, [&]() -> Result<> {
        for (const auto& table : table_texts(kind)) {
            POSTERN_TRY(const auto count, count_by(connection, table.count));
            if (count != 0) return fail(StoreError::not_empty, std::string(table.name));
        }
        return {};
    });
}

Result<> clear(Connection& connection, StoreKind kind) {
    for (const auto& table : table_texts(kind)) {
        if (auto done = connection.execute(table.clear, {}); !done)
            return fail(std::move(done.error()));
    }
    return {};
}

using Digests = std::vector<Digest>;

Result<Digests> copy_rows(Connection& source, Connection& target, StoreKind kind) {
    Digests digests;
    const auto all = [&]() -> Result<> {
        if (auto emptied = clear(target, kind); !emptied) return emptied;
        for (const auto& table : table_texts(kind)) {
            const auto insert = [&](const Cells& cells) {
                return target.execute_later(table.insert, values_of(cells));
            };
            POSTERN_TRY(auto digest, read_table(source, table, insert));
            digests.push_back(std::move(digest));
        }
        return {};
    };
    const auto written = in_transaction(source, Access::read,
                                        [&] { return in_transaction(target, Access::write, all); });
    if (!written) return fail(written.error());
    return digests;
}

Result<> verify(Connection& target, StoreKind kind, const Digests& wanted) {
    return in_transaction(target, Access::read, [&]() -> Result<> {
        auto expected = wanted.begin();
        for (const auto& table : table_texts(kind)) {
            const auto nothing = [](const Cells&) -> Result<> { return {}; };
            POSTERN_TRY(const auto found, read_table(target, table, nothing));
            if (found != *expected++)
                return fail(StoreError::corrupt, std::string(table.name) + " was not copied whole");
        }
        return {};
    });
}

/// Overwritten before it goes: what stood in it may be a key.
Result<> destroy_file(const std::string& name) {
    const os::Fd file(::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid()) {
        if (errno == ENOENT) return {};
        return fail(system_error(name, errno));
    }
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return fail(system_error(name, errno));
    const std::array<char, 65536> zeros{};
    for (off_t at = 0; at < info.st_size;) {
        const auto left = static_cast<std::size_t>(info.st_size - at);
        const auto put_in = ::pwrite(file.get(), zeros.data(), std::min(left, zeros.size()), at);
        if (put_in <= 0) return fail(system_error(name, errno));
        at += put_in;
    }
    if (::fsync(file.get()) != 0 || ::unlink(name.c_str()) != 0)
        return fail(system_error(name, errno));
    return {};
}

/// With the copies from before migrations.
Result<> destroy_files(const std::string& file) {
    for (const auto* suffix : {"-wal", "-shm", ""}) {
        if (auto done = destroy_file(file + suffix); !done) return done;
    }
    return sqlite::wipe_snapshots(file);
}

/// Cuts the log that may hold what was dropped. The bulk's is not ours to cut: keys are in no bulk.
Result<> purge_dropped(Connection& connection, StoreKind kind) {
    auto purged = connection.purge(Purge::log_only, Deadline::in(k_purge_time));
    if (kind == StoreKind::keyring) return purged;
    return {};
}

/// Where an earlier try has dropped the schema, and may have ended before the log was cut.
Result<> purge_again(const Database::Options& options) {
    if (!options.server || options.kind != StoreKind::keyring) return {};
    POSTERN_TRY(const auto connection, open_reader(options));
    return purge_dropped(*connection, options.kind);
}

Result<> drop(Connection& connection, StoreKind kind) {
    const auto drop = std::string("DROP SCHEMA ") + postgres::schema_of(kind) + " CASCADE";
    if (auto dropped = run_script(connection, drop); !dropped) return dropped;
    return purge_dropped(connection, kind);
}

Result<OpenStore> open_existing(Database::Options options) {
    options.create = false;
    return open_store(options);
}

Result<> destroy(const Database::Options& options) {
    if (!options.server) return destroy_files(options.file);
    const auto store = open_existing(options);
    if (store) return drop(*store->writer, options.kind);
    if (store.error().is(StoreError::not_found)) return purge_again(options);
    return fail(store.error());
}

/// The file of a store whose making ended before anything was written.
bool is_empty_file(const Database::Options& options) {
    std::error_code error;
    return !options.server && std::filesystem::file_size(options.file, error) == 0 && !error;
}

Result<> mark(Connection& connection) {
    return run_script(connection, k_make_mark);
}

/// Into the target, which belongs to this copy from now on.
Result<> begin_copy(Connection& target, const Database::Options& options) {
    POSTERN_TRY(const bool begun, is_unfinished(target, options));
    if (begun) return {};
    if (auto empty = check_empty(target, options.kind); !empty) return empty;
    return mark(target);
}

}  // namespace

Result<bool> is_unfinished(Connection& connection, const Database::Options& options) {
    std::int64_t marks = 0;
    const auto sql = options.server ? k_count_marks_on_server : k_count_marks_in_file;
    auto read = in_transaction(connection, Access::read, [&]() -> Result<> {
        POSTERN_TRY(marks, count_by(connection, sql));
        return {};
    });
    if (!read) return fail(std::move(read.error()));
    return marks != 0;
}

Result<> check_target(const Database::Options& to) {
    if (to.kind == StoreKind::index || is_empty_file(to)) return {};
    if (to.server) {
        // A database that is not there is not found, either.
        const auto fits = postgres::connect({.server = *to.server,
                                             .kind = to.kind,
                                             .access = Access::read,
                                             .must_fit = true,
                                             .busy_timeout = to.busy_timeout});
        if (!fits) return fail(fits.error());
    }
    const auto target = open_existing(to);
    if (target) {
        POSTERN_TRY(const bool begun, is_unfinished(*target->writer, to));
        return begun ? Result<>{} : check_empty(*target->writer, to.kind);
    }
    if (!target.error().is(StoreError::not_found)) return fail(target.error());
    return {};
}

Result<std::int64_t> copy_store(const Database::Options& from, const Database::Options& to) {
    auto fresh = to;
    fresh.create = true;
    POSTERN_TRY(const auto target, open_store(fresh));
    if (to.kind == StoreKind::index) {
        auto emptied = in_transaction(*target.writer, Access::write,
                                      [&] { return clear(*target.writer, to.kind); });
        if (emptied) emptied = mark(*target.writer);
        if (!emptied) return fail(std::move(emptied.error()));
        return 0;
    }
    POSTERN_TRY(const auto source, open_store(from));
    POSTERN_TRY(const bool half, is_unfinished(*source.writer, from));
    if (half) return fail(MoveError::unfinished, "what is to be moved is such a copy itself");
    if (auto begun = begin_copy(*target.writer, to); !begun) return fail(std::move(begun.error()));
    POSTERN_TRY(const auto digests, copy_rows(*source.writer, *target.writer, to.kind));
    if (auto same = verify(*target.writer, to.kind, digests); !same)
        return fail(std::move(same.error()));
    std::int64_t rows = 0;
    for (const auto& digest : digests)
        rows += digest.rows;
    return rows;
}

Result<> abandon_copy(const Database::Options& to) {
    if (is_empty_file(to)) return destroy_files(to.file);
    {
        const auto target = open_existing(to);
        if (!target && target.error().is(StoreError::not_found)) return purge_again(to);
        if (!target) return fail(target.error());
        POSTERN_TRY(const bool marked, is_unfinished(*target->writer, to));
        if (!marked) return {};
        if (to.server) return drop(*target->writer, to.kind);
    }
    return destroy_files(to.file);
}

Result<> finish_move(const Database::Options& from, const Database::Options& to) {
    POSTERN_TRY(const auto target, open_store(to));
    POSTERN_TRY(const bool marked, is_unfinished(*target.writer, to));
    if (!marked) return {};
    if (auto gone = destroy(from); !gone) return gone;
    return run_script(*target.writer, k_drop_mark);
}

}  // namespace postern::store
