#include "platform/store/migration.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postern::store {
namespace {

class FixedClock final : public Clock {
public:
    UnixMs now_ms() const override { return 1'764'000'000'123; }
};

constexpr Migration k_one = {1, "one", "c1",
                             "CREATE TABLE one (workspace_id {blob} NOT NULL, number {int64}, "
                             "PRIMARY KEY (workspace_id)) STRICT;"};
constexpr Migration k_two = {
    2, "two", "c2",
    "ALTER TABLE one ADD COLUMN extra {blob};"
    "INSERT INTO one (workspace_id, number) VALUES (CAST('a' AS {blob}), 5000000000);"};
constexpr Migration k_broken = {3, "broken", "c3",
                                "CREATE TABLE three (workspace_id {blob} PRIMARY KEY) STRICT;"
                                "CREATE TABLE three (workspace_id {blob} PRIMARY KEY) STRICT;"};
constexpr Migration k_three = {3, "three", "c3b",
                               "CREATE TABLE three (workspace_id {blob} PRIMARY KEY) STRICT;"};

class MigrationTest : public testing::Test {
protected:
    Result<std::unique_ptr<Database>> open(const std::vector<Migration>& migrations) {
        auto options = options_for(folder_);
        options.migrations = migrations;
        options.clock = &clock_;
        return Database::open(options);
    }
    /// "number name checksum applied_at" of each applied one.
    std::string applied(Database& database) {
        std::string text;
        const auto done = database.read_now([&](Transaction& t) -> Result<> {
            POSTERN_TRY(const auto rows,
                        t.query("SELECT number, name, checksum, applied_at FROM schema_migrations "
                                "ORDER BY number"));
            for (const auto& row : rows) {
                text += std::to_string(row.integer(0)) + " " + row.clear_text(1) + " " +
                        row.clear_text(2) + " " + std::to_string(row.integer(3)) + "\n";
            }
            return {};
        });
        return done ? text : "";
    }

    TestFolder folder_;
    FixedClock clock_;
};

TEST_F(MigrationTest, applies_only_what_is_missing_when_opened_again) {
    ASSERT_TRUE(open({k_one}));
    const auto database = open({k_one, k_two});
    ASSERT_TRUE(database) << database.error().detail();
    EXPECT_EQ(applied(**database), "1 one c1 1764000000123\n2 two c2 1764000000123\n");
    const auto number = (*database)->read_now([](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row, t.query_one("SELECT number FROM one"));
        return row->integer(0);
    });
    EXPECT_EQ(number.value_or(0), 5'000'000'000);
}

TEST_F(MigrationTest, refuses_when_an_applied_one_has_changed) {
    ASSERT_TRUE(open({k_one, k_two}));
    auto other_text = k_one;
    other_text.checksum = "c9";
    auto other_name = k_two;
    other_name.name = "zwei";
    EXPECT_TRUE(fails_with(open({other_text, k_two}), StoreError::migration_changed));
    EXPECT_TRUE(fails_with(open({k_one, other_name}), StoreError::migration_changed));
    EXPECT_TRUE(fails_with(open({k_two}), StoreError::migration_changed));
    EXPECT_TRUE(open({k_one, k_two}));
}

TEST_F(MigrationTest, refuses_when_the_store_is_of_a_newer_version) {
    ASSERT_TRUE(open({k_one, k_two}));
    EXPECT_TRUE(fails_with(open({k_one}), StoreError::newer_version));
    EXPECT_TRUE(fails_with(open({}), StoreError::newer_version));
    const auto refused = open({k_one});
    const auto& detail = refused.error().detail();
    EXPECT_NE(detail.find("at version 2 (two)"), std::string::npos) << detail;
    EXPECT_NE(detail.find("up to 1"), std::string::npos) << detail;
    const bool has_copy = detail.find("put the copy") != std::string::npos;
    const bool names_backup = detail.find("restore a backup") != std::string::npos;
    EXPECT_EQ(has_copy, !tests_on_postgres()) << detail;
    EXPECT_EQ(names_backup, tests_on_postgres()) << detail;
    EXPECT_TRUE(open({k_one, k_two}));
}

TEST_F(MigrationTest, keeps_the_earlier_ones_when_one_fails) {
    const auto failed = open({k_one, k_two, k_broken});
    ASSERT_TRUE(fails_with(failed, StoreError::migration_failed));
    EXPECT_NE(failed.error().detail().find("migration 3 broken"), std::string::npos);
    const auto database = open({k_one, k_two, k_three});
    ASSERT_TRUE(database) << database.error().detail();
    EXPECT_EQ(applied(**database).find("broken"), std::string::npos);
}

TEST_F(MigrationTest, applies_the_embedded_ones_when_none_are_given) {
    for (const auto kind : {StoreKind::store, StoreKind::keyring, StoreKind::index}) {
        const TestFolder folder;
        auto options = options_for(folder);
        options.kind = kind;
        options.migrations.reset();
        const auto database = Database::open(options);
        ASSERT_TRUE(database) << database.error().detail();
        std::size_t lines = 0;
        for (const char c : applied(**database))
            lines += c == '\n' ? 1 : 0;
        EXPECT_EQ(lines, embedded_migrations(kind).size());
    }
}

TEST_F(MigrationTest, carries_number_name_and_hash_when_embedded) {
    for (const auto kind : {StoreKind::store, StoreKind::keyring, StoreKind::index}) {
        std::int64_t expected = 1;
        for (const auto& migration : embedded_migrations(kind)) {
            EXPECT_EQ(migration.number, expected++);
            EXPECT_EQ(migration.checksum.size(), 64U);
            EXPECT_FALSE(migration.name.empty());
            EXPECT_NE(migration.sql.find(" TABLE "), std::string_view::npos);
        }
        EXPECT_GT(expected, 1);
    }
}

}  // namespace
}  // namespace postern::store
