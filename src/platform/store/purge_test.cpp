#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/sqlite/sqlite_connection.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern::store {
namespace {

class PurgeOnFiles : public OnFiles {};

Bytes random_bytes(std::mt19937& random, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    return bytes;
}

Result<std::int64_t> change(Database& database, SqlText sql, std::initializer_list<Value> values) {
    return database.write_now([&](Transaction& t) { return t.execute(sql, values); });
}

TEST_F(PurgeOnFiles, leaves_no_byte_of_a_deleted_value_when_done) {
    const TestFolder folder;
    const auto options = options_for(folder);
    const auto database = open_or_fail(options);
    std::mt19937 random(1);
    const auto planted = random_bytes(random, 32);
    const auto needle = as_text(planted);

    ASSERT_EQ(raw_hits(options.file, needle), 0);
    ASSERT_TRUE(
        database->write_now([&](Transaction& t) { return add_note(t, 1, SealedBytes(planted)); }));
    EXPECT_GT(raw_hits(options.file, needle), 0);
    ASSERT_TRUE(change(*database, "DELETE FROM notes", {}));
    EXPECT_GT(raw_hits(options.file, needle), 0) << "the log still holds it";
    ASSERT_TRUE(database->checkpoint_truncate_now());
    EXPECT_EQ(raw_hits(options.file, needle), 0);
    EXPECT_EQ(std::filesystem::file_size(options.file + "-wal"), 0U);
}

constexpr Migration k_keys[] = {
    {1, "keys", "c",
     "CREATE TABLE keys (workspace_id {blob} NOT NULL, id {blob} NOT NULL, wrap {blob} NOT NULL, "
     "PRIMARY KEY (workspace_id, id)) STRICT;"
     "CREATE INDEX keys_by_wrap ON keys (workspace_id, wrap);"}};

/// Wraps of various sizes come and go in random order; what is gone and what is left.
struct Churn {
    explicit Churn(unsigned seed) : random(seed) {}

    Result<> run(Transaction& t, int steps) {
        for (int i = 0; i < steps; ++i) {
            auto done = live.empty() || random() % 2 == 0 ? add(t) : remove(t);
            if (!done) return fail(done.error());
        }
        return {};
    }
    Result<std::int64_t> add(Transaction& t) {
        constexpr std::size_t k_sizes[] = {40, 60, 120, 300, 1500};
        auto id = random_bytes(random, 16);
        const auto size = k_sizes[random() % 5];
        live.emplace_back(std::move(id), random_bytes(random, size));
        return t.execute(
            "INSERT INTO keys (workspace_id, id, wrap) VALUES ($1, $2, $3)",
            {k_installation, Clear::bytes(live.back().first), SealedBytes(live.back().second)});
    }
    Result<std::int64_t> remove(Transaction& t) {
        std::swap(live[random() % live.size()], live.back());
        const auto id = live.back().first;
        gone.push_back(live.back().second);
        live.pop_back();
        return t.execute("DELETE FROM keys WHERE workspace_id = $1 AND id = $2",
                         {k_installation, Clear::bytes(id)});
    }
    /// How many of the destroyed wraps can be found in the files, by their first bytes.
    [[nodiscard]] std::size_t found_in(const std::string& file) const {
        const auto content = content_of(file) + content_of(file + "-wal");
        std::size_t hits = 0;
        for (const auto& wrap : gone) {
            if (content.find(as_text(wrap).substr(0, 24)) != std::string::npos) ++hits;
        }
        return hits;
    }

    std::mt19937 random;
    std::vector<std::pair<Bytes, Bytes>> live;
    std::vector<Bytes> gone;
};

// With secure_delete alone SQLite 3.40 leaves wraps of this very churn in the file: see log_wipe.h.
TEST_F(PurgeOnFiles, leaves_no_destroyed_key_when_the_keyring_was_busy) {
    const TestFolder folder;
    auto options = options_for(folder);
    options.kind = StoreKind::keyring;
    options.migrations = k_keys;
    const auto database = open_or_fail(options);
    Churn churn(16);
    ASSERT_TRUE(database->write_now([&](Transaction& t) { return churn.run(t, 8000); }));
    ASSERT_GT(churn.gone.size(), 3000U);
    ASSERT_TRUE(database->checkpoint_truncate_now());
    EXPECT_EQ(churn.found_in(options.file), 0U);
    EXPECT_EQ(std::filesystem::file_size(options.file + "-wal"), 0U);
    const auto kept = database->read_now([](Transaction& t) -> Result<std::size_t> {
        POSTERN_TRY(const auto rows, t.query("SELECT wrap FROM keys"));
        return rows.size();
    });
    EXPECT_EQ(kept.value_or(0), churn.live.size());
}

TEST_F(PurgeOnFiles, waits_for_the_reader_when_one_is_in_the_way) {
    const TestFolder folder;
    auto options = options_for(folder);
    options.readers = 1;
    const auto database = open_or_fail(options);
    ASSERT_TRUE(database->write_now([](Transaction& t) { return add_note(t, 1); }));
    std::atomic<bool> reading = false;
    std::atomic<bool> purging = false;
    std::jthread reader([&] {
        const auto done = database->read_now([&](Transaction& t) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto row, t.query_one(k_count_notes));
            reading = true;
            reading.notify_all();
            purging.wait(false);
            return {};
        });
        EXPECT_TRUE(done);
    });
    reading.wait(false);
    ASSERT_TRUE(database->write_now([](Transaction& t) { return add_note(t, 2); }));
    purging = true;
    purging.notify_all();
    EXPECT_TRUE(database->checkpoint_truncate_now());
    EXPECT_EQ(std::filesystem::file_size(options.file + "-wal"), 0U);
}

TEST_F(PurgeOnFiles, answers_busy_and_works_on_when_the_reader_does_not_end) {
    const TestFolder folder;
    const auto options = options_for(folder);
    open_or_fail(options);
    const sqlite::ConnectionOptions connect{.file = options.file};
    const auto writer = sqlite::connect(connect);
    const auto reader =
        sqlite::connect({.file = options.file, .kind = StoreKind::store, .access = Access::read});
    ASSERT_TRUE(writer && reader);
    ASSERT_TRUE((*reader)->begin(Access::read));
    ASSERT_TRUE((*reader)->query(k_count_notes, {}));
    const auto insert = [&](std::int64_t number) {
        const Value values[] = {k_installation, number, std::nullopt, std::nullopt};
        return (*writer)->begin(Access::write) && (*writer)->execute(k_insert_note, values) &&
               (*writer)->commit();
    };
    ASSERT_TRUE(insert(1));
    const auto soon = Deadline::in(std::chrono::milliseconds(20));
    EXPECT_TRUE(fails_with((*writer)->purge(Purge::log_only, soon), StoreError::busy));
    EXPECT_TRUE(insert(2));
    (*reader)->rollback();
    const auto later = Deadline::in(std::chrono::seconds(20));
    EXPECT_TRUE((*writer)->purge(Purge::rewrite, later));
}

}  // namespace
}  // namespace postern::store
