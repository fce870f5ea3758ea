// Copies before a migration, through Database::open, which is what decides about them.
#include "platform/store/sqlite/snapshot.h"

#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/opening.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::store {
namespace {

constexpr Migration k_one = {1, "one", "c1",
                             "CREATE TABLE one (workspace_id {blob} PRIMARY KEY, text TEXT) STRICT;"
                             "INSERT INTO one VALUES (x'00', 'from before');"};
constexpr Migration k_two = {2, "two", "c2", "UPDATE one SET text = 'changed';"};
constexpr Migration k_three = {3, "three", "c3", "UPDATE one SET text = 'again';"};
constexpr Migration k_four = {4, "four", "c4", "UPDATE one SET text = 'once more';"};
constexpr Migration k_broken = {2, "broken", "c9", "UPDATE none SET text = 'x';"};

class SnapshotTest : public OnFiles {
protected:
    Result<> open(const std::vector<Migration>& migrations, StoreKind kind = StoreKind::store) {
        auto options = options_for(folder_);
        options.kind = kind;
        options.migrations = migrations;
        auto database = Database::open(options);
        if (!database) return fail(std::move(database.error()));
        (*database)->close();
        return {};
    }
    Result<bool> is_behind(const std::vector<Migration>& migrations) {
        auto options = options_for(folder_);
        options.create = false;
        options.migrations = migrations;
        return store::is_behind(options);
    }
    bool has(const std::string& name) { return std::filesystem::exists(folder_.file(name)); }
    /// What the one row says in a file that is put in the store's place.
    std::string row_of(const std::string& name) {
        const TestFolder other;
        std::filesystem::copy_file(folder_.file(name), other.file("store.db"));
        auto options = options_for(other);
        const std::vector migrations{k_one};
        options.migrations = migrations;
        const auto database = Database::open(options);
        if (!database) return database.error().detail();
        const auto text = (*database)->read_now([](Transaction& t) -> Result<std::string> {
            POSTERN_TRY(const auto row, t.query_one("SELECT text FROM one"));
            return row->clear_text(0);
        });
        return text ? *text : text.error().detail();
    }

    TestFolder folder_;
};

TEST_F(SnapshotTest, a_new_store_and_one_that_is_up_to_date_have_no_copy) {
    ASSERT_TRUE(open({k_one, k_two}));
    ASSERT_TRUE(open({k_one, k_two}));
    EXPECT_FALSE(has("store.db.before-1"));
    EXPECT_FALSE(has("store.db.before-2"));
}

TEST_F(SnapshotTest, the_copy_is_what_was_there_before_the_migration) {
    ASSERT_TRUE(open({k_one}));
    ASSERT_TRUE(open({k_one, k_two, k_three}));
    ASSERT_TRUE(has("store.db.before-2"));
    EXPECT_EQ(row_of("store.db.before-2"), "from before");
    const auto mode = std::filesystem::status(folder_.file("store.db.before-2")).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(SnapshotTest, a_migration_that_fails_leaves_the_copy_and_the_store_as_they_were) {
    ASSERT_TRUE(open({k_one}));
    const auto failed = open({k_one, k_broken});
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().is(StoreError::migration_failed));
    EXPECT_EQ(row_of("store.db.before-2"), "from before");
    EXPECT_EQ(row_of("store.db"), "from before");
}

TEST_F(SnapshotTest, only_the_newest_two_are_kept) {
    ASSERT_TRUE(open({k_one}));
    ASSERT_TRUE(open({k_one, k_two}));
    ASSERT_TRUE(open({k_one, k_two, k_three}));
    ASSERT_TRUE(open({k_one, k_two, k_three, k_four}));
    EXPECT_FALSE(has("store.db.before-2"));
    EXPECT_TRUE(has("store.db.before-3"));
    EXPECT_TRUE(has("store.db.before-4"));
}

TEST_F(SnapshotTest, a_keyring_has_none_once_its_migration_succeeded) {
    ASSERT_TRUE(open({k_one}, StoreKind::keyring));
    ASSERT_FALSE(open({k_one, k_broken}, StoreKind::keyring));
    EXPECT_TRUE(has("store.db.before-2")) << "the way back while it fails";
    // Another name of the same file shows what becomes of its bytes.
    std::filesystem::create_hard_link(folder_.file("store.db.before-2"), folder_.file("bytes"));
    ASSERT_TRUE(open({k_one, k_two}, StoreKind::keyring));
    EXPECT_FALSE(has("store.db.before-2"));
    EXPECT_EQ(content_of(folder_.file("bytes")).find_first_not_of('\0'), std::string::npos);
}

TEST_F(SnapshotTest, a_keyring_s_copy_that_a_crash_left_is_wiped_at_the_next_start) {
    ASSERT_TRUE(open({k_one}, StoreKind::keyring));
    std::ofstream(folder_.file("store.db.before-2")) << "wraps";
    std::ofstream(folder_.file("store.db.before-2.part")) << "wraps";
    ASSERT_TRUE(open({k_one}, StoreKind::keyring));
    EXPECT_FALSE(has("store.db.before-2"));
    EXPECT_FALSE(has("store.db.before-2.part"));
}

TEST_F(SnapshotTest, an_index_has_none) {
    ASSERT_TRUE(open({k_one}, StoreKind::index));
    ASSERT_TRUE(open({k_one, k_two}, StoreKind::index));
    EXPECT_FALSE(has("store.db.before-2"));
}

TEST_F(SnapshotTest, a_look_tells_of_a_migration_and_changes_nothing) {
    ASSERT_TRUE(open({k_one}));
    const auto before = content_of(folder_.file("store.db"));
    EXPECT_TRUE(is_behind({k_one, k_two}).value());
    EXPECT_FALSE(is_behind({k_one}).value());
    EXPECT_EQ(content_of(folder_.file("store.db")), before);
    EXPECT_FALSE(has("store.db.before-2"));
    ASSERT_TRUE(open({k_one, k_two}));
    EXPECT_FALSE(is_behind({k_one, k_two}).value());
}

TEST_F(SnapshotTest, a_look_refuses_what_opening_would_refuse) {
    EXPECT_TRUE(fails_with(is_behind({k_one}), StoreError::not_found));
    EXPECT_FALSE(has("store.db")) << "nothing is made";
    ASSERT_TRUE(open({k_one, k_two}));
    EXPECT_TRUE(fails_with(is_behind({k_one}), StoreError::newer_version));
    EXPECT_TRUE(fails_with(is_behind({k_one, k_broken}), StoreError::migration_changed));
    auto options = options_for(folder_);
    const std::vector migrations{k_one, k_two};
    options.migrations = migrations;
    const auto open_now = Database::open(options);
    ASSERT_TRUE(open_now.has_value());
    EXPECT_TRUE(fails_with(is_behind({k_one, k_two, k_three}), StoreError::in_use));
}

TEST_F(SnapshotTest, a_look_tells_that_there_is_no_room) {
    std::ofstream(folder_.file("large")) << "x";
    EXPECT_TRUE(sqlite::check_room(folder_.file("large")));
    struct statvfs status{};
    ASSERT_EQ(::statvfs(folder_.path().c_str(), &status), 0);
    std::filesystem::resize_file(folder_.file("large"), status.f_bavail * status.f_frsize);
    EXPECT_TRUE(fails_with(sqlite::check_room(folder_.file("large")), StoreError::disk_full));
}

TEST_F(SnapshotTest, too_little_room_is_told_before_anything_changes) {
    ASSERT_TRUE(open({k_one}));
    struct statvfs status{};
    ASSERT_EQ(::statvfs(folder_.path().c_str(), &status), 0);
    // A hole as large as all that is free: the copy would not fit, the hole takes no room.
    const auto free = status.f_bavail * status.f_frsize;
    std::ofstream(folder_.file("large")) << "x";
    std::filesystem::resize_file(folder_.file("large"), free);
    const auto refused = sqlite::take_snapshot(folder_.file("large"), 2);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(StoreError::disk_full));
    EXPECT_NE(refused.error().detail().find("MiB free"), std::string::npos);
    EXPECT_FALSE(has("large.before-2.part"));
}

}  // namespace
}  // namespace postern::store
