#include "platform/store/database.h"
#include "platform/store/reserve.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

namespace postern::store {
namespace {

constexpr std::int64_t k_disk_bytes = 24 << 20;
constexpr std::int64_t k_reserve_bytes = 8 << 20;

/// A small disk of our own, where the system lets us have one.
class DiskFullTest : public testing::Test {
protected:
    void SetUp() override {
        if (tests_on_postgres()) GTEST_SKIP() << "of stores in files";
        if (::mount("postern-test", folder_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                    "size=24m") != 0) {
            GTEST_SKIP() << "cannot mount a tmpfs: " << ::strerrordesc_np(errno);
        }
        mounted_ = true;
    }
    void TearDown() override {
        database_.reset();
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }

    /// Stores rows until one does not fit; the number of the first that did not.
    std::int64_t fill(std::size_t row_bytes) {
        const SealedBytes body(Bytes(row_bytes, 0x11));
        for (std::int64_t number = next_;; ++number) {
            const auto added =
                database_->write_now([&](Transaction& t) { return add_note(t, number, body); });
            if (added) continue;
            EXPECT_TRUE(fails_with(added, StoreError::disk_full));
            next_ = number;
            return number;
        }
    }

    TestFolder folder_;
    bool mounted_ = false;
    std::int64_t next_ = 0;
    std::unique_ptr<Database> database_;
};

TEST_F(DiskFullTest, loses_nothing_acknowledged_and_works_on_when_there_is_room_again) {
    database_ = open_or_fail(options_for(folder_));
    Reserve reserve({.file = folder_.file("reserve"), .size_bytes = k_reserve_bytes});
    ASSERT_TRUE(reserve.restore());
    ASSERT_TRUE(reserve.held());

    const auto rows = fill(60'000);
    EXPECT_EQ(count_notes(*database_), rows);
    EXPECT_TRUE(database_->check_integrity_now());
    EXPECT_TRUE(
        fails_with(Reserve({.file = folder_.file("second"), .size_bytes = k_disk_bytes}).restore(),
                   StoreError::disk_full));
    EXPECT_FALSE(std::filesystem::exists(folder_.file("second"))) << "nothing half made";

    ASSERT_TRUE(reserve.release());
    EXPECT_FALSE(reserve.held());
    // The lock, the cut-off, the erasure: small writes, and room by deleting.
    EXPECT_TRUE(database_->write_now([&](Transaction& t) { return add_note(t, rows); }));
    EXPECT_TRUE(database_->write_now(
        [](Transaction& t) { return t.execute("DELETE FROM notes WHERE number < 5"); }));
    EXPECT_TRUE(database_->checkpoint_truncate_now());
    EXPECT_EQ(count_notes(*database_), rows + 1 - 5);
    EXPECT_TRUE(reserve.restore());
}

TEST_F(DiskFullTest, keeps_the_rows_when_opened_again_on_the_full_disk) {
    database_ = open_or_fail(options_for(folder_));
    const auto rows = fill(50'000);
    database_.reset();
    database_ = open_or_fail(options_for(folder_));
    EXPECT_EQ(count_notes(*database_), rows);
}

TEST_F(DiskFullTest, answers_disk_full_when_not_even_the_store_can_be_made) {
    Reserve filler({.file = folder_.file("filler"), .size_bytes = k_disk_bytes - 8192});
    ASSERT_TRUE(filler.restore());
    EXPECT_TRUE(fails_with(Database::open(options_for(folder_)), StoreError::disk_full));
    ASSERT_TRUE(filler.release());
    EXPECT_TRUE(Database::open(options_for(folder_)));
}

TEST(Reserve, holds_room_only_when_the_blocks_are_really_taken) {
    const TestFolder folder;
    const std::string file = folder.file("reserve");
    Reserve reserve({.file = file, .size_bytes = k_reserve_bytes});
    EXPECT_FALSE(reserve.held());
    EXPECT_TRUE(reserve.release()) << "nothing to release";

    std::ofstream(file).flush();
    std::filesystem::resize_file(file, k_reserve_bytes);
    EXPECT_FALSE(reserve.held()) << "sparse";
    ASSERT_TRUE(reserve.restore());
    EXPECT_TRUE(reserve.held());
    EXPECT_TRUE(reserve.restore()) << "held already";
    ASSERT_TRUE(reserve.release());
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Reserve, fails_when_its_place_is_taken_by_a_link_or_gone) {
    const TestFolder folder;
    std::filesystem::create_symlink(folder.file("elsewhere"), folder.file("reserve"));
    EXPECT_TRUE(
        fails_with(Reserve({.file = folder.file("reserve")}).restore(), StoreError::io_failed));
    EXPECT_FALSE(std::filesystem::exists(folder.file("elsewhere")));
    EXPECT_TRUE(
        fails_with(Reserve({.file = folder.file("no/folder")}).restore(), StoreError::io_failed));
}

}  // namespace
}  // namespace postern::store
