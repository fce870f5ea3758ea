#pragma once

#include "foundation/base/check.h"
#include "platform/store/database.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <array>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postern::store {

/// A folder of its own under the system's temporary one, gone with all in it at the end.
class TestFolder {
public:
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "postern-store-XXXXXX");
        POSTERN_CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline constexpr Migration k_test_migrations[] = {
    {1, "first", "checksum-1",
     "CREATE TABLE notes (workspace_id {blob} NOT NULL, number {int64} NOT NULL, body {blob}, "
     "label TEXT, PRIMARY KEY (workspace_id, number), UNIQUE (workspace_id, label)) STRICT;"
     "CREATE TABLE pages (workspace_id {blob} NOT NULL, page {int64} NOT NULL, "
     "note {int64} NOT NULL CHECK (note > 0), PRIMARY KEY (workspace_id, page), "
     "FOREIGN KEY (workspace_id, note) REFERENCES notes (workspace_id, number)) STRICT;"},
};

inline constexpr SqlText k_insert_note =
    "INSERT INTO notes (workspace_id, number, body, label) VALUES ($1, $2, $3, $4)";
inline constexpr SqlText k_count_notes = "SELECT count(*) FROM notes";

/// A statement of a test where the dialects differ.
struct EngineText {
    SqlText files;
    SqlText postgres;
    operator SqlText() const { return tests_on_postgres() ? postgres : files; }
};

/// What a trigger of a test calls on PostgreSQL: the row is refused.
inline constexpr const char* k_refuse_function =
    ".refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
    "RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END$$";

/// The same store where this run has its stores: options of a file become those of a database.
inline Database::Options on_test_engine(Database::Options options) {
    if (!tests_on_postgres() || options.server) return options;
    if (options.migrations) {
        options.server = ScratchDatabases::instance().of(options.file, "template0");
        return options;
    }
    // Made once, with every migration, and copied from then on.
    const auto origin = "origin_" + std::to_string(static_cast<int>(options.kind));
    static std::set<std::string> made;
    if (made.insert(origin).second) {
        shared_cluster().sql({"CREATE DATABASE " + origin});
        Database::Options fresh;
        fresh.kind = options.kind;
        fresh.server = shared_cluster().server(origin);
        fresh.create = true;
        fresh.readers = 0;
        POSTERN_CHECK(Database::open(fresh));
        constexpr std::array k_schemas = {"postern_store", "postern_keyring", "postern_index"};
        const std::string schema = k_schemas.at(static_cast<std::size_t>(options.kind));
        shared_cluster().sql({"CREATE FUNCTION " + schema + k_refuse_function}, origin);
    }
    options.server = ScratchDatabases::instance().of(options.file, origin);
    return options;
}

/// Without threads unless a test asks for readers.
inline Database::Options options_for(const TestFolder& folder) {
    Database::Options options;
    options.file = folder.file("store.db");
    options.create = true;
    options.readers = 0;
    options.migrations = k_test_migrations;
    return on_test_engine(std::move(options));
}

inline std::unique_ptr<Database> open_or_fail(const Database::Options& options) {
    auto opened = Database::open(on_test_engine(options));
    if (!opened) {
        ADD_FAILURE() << opened.error().code() << ": " << opened.error().detail();
        std::abort();
    }
    return std::move(*opened);
}

inline Result<std::int64_t> add_note(Transaction& transaction,
                                     std::int64_t number,
                                     const std::optional<SealedBytes>& body = std::nullopt) {
    return transaction.execute(k_insert_note, {k_installation, number, body, std::nullopt});
}

inline std::int64_t count_notes(Database& database) {
    const auto count = database.read_now([](Transaction& transaction) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row, transaction.query_one(k_count_notes));
        return row->integer(0);
    });
    return count ? *count : -1;
}

inline std::string content_of(const std::string& file) {
    return ScratchCluster::content_of_file(file);
}

/// How often the bytes stand in the database, its log and its index, seen raw.
inline int raw_hits(const std::string& file, std::string_view needle) {
    int hits = 0;
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
        const auto content = content_of(file + suffix);
        for (auto at = content.find(needle); at != std::string::npos;
             at = content.find(needle, at + 1)) {
            ++hits;
        }
    }
    return hits;
}

/// Of what only a store in a file has.
class OnFiles : public testing::Test {
protected:
    void SetUp() override {
        if (tests_on_postgres()) GTEST_SKIP() << "of stores in files";
    }
};

template <typename T, ErrorEnum E>
testing::AssertionResult fails_with(const Result<T>& result, E error) {
    if (result) return testing::AssertionFailure() << "succeeded";
    if (result.error().is(error)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << result.error().code() << ": " << result.error().detail();
}

}  // namespace postern::store
