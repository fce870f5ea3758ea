#include "app/supervisor/root_key_file.h"

#include "app/supervisor/place_error.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace postern::app::supervisor {
namespace {

class RootKeyFileTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "postern-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        path_ = folder_ + "/root.key";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(folder_), {});
    }

    std::string folder_;
    std::string path_;
};

TEST_F(RootKeyFileTest, takes_its_name_when_committed) {
    {
        auto file = NewRootKeyFile::begin(path_);
        ASSERT_TRUE(file);
        const auto descriptor = file->descriptor();
        ASSERT_TRUE(descriptor);
        ASSERT_EQ(::write(descriptor->get(), "key", 3), 3);
        EXPECT_FALSE(std::filesystem::exists(path_));
        ASSERT_TRUE(file->commit());
    }
    EXPECT_EQ(content(), "key");
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0400U);
}

TEST_F(RootKeyFileTest, leaves_nothing_when_it_is_given_up) {
    {
        const auto file = NewRootKeyFile::begin(path_);
        ASSERT_TRUE(file);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(RootKeyFileTest, never_replaces_a_key) {
    std::ofstream(path_) << "old";
    const auto refused = NewRootKeyFile::begin(path_);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(PlaceError::root_key_exists));
    std::filesystem::remove(path_);
    auto file = NewRootKeyFile::begin(path_);
    ASSERT_TRUE(file);
    std::ofstream(path_) << "old";
    const auto late = file->commit();
    ASSERT_FALSE(late);
    EXPECT_TRUE(late.error().is(PlaceError::root_key_exists));
    EXPECT_EQ(content(), "old");
}

TEST_F(RootKeyFileTest, what_a_crash_left_is_in_nobodys_way) {
    std::ofstream(path_ + ".new") << "half";
    auto file = NewRootKeyFile::begin(path_);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(content(), "");
}

TEST_F(RootKeyFileTest, a_key_that_is_missing_or_open_to_others_is_refused) {
    EXPECT_TRUE(open_root_key(path_).error().is(PlaceError::root_key_missing));
    std::ofstream(path_) << "key";
    for (const auto mode : {0640U, 0604U, 0444U, 0410U}) {
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
        EXPECT_TRUE(open_root_key(path_).error().is(PlaceError::root_key_unsafe)) << mode;
    }
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(open_root_key(path_));
    EXPECT_TRUE(open_root_key(folder_).error().is(PlaceError::root_key_unsafe));
    std::filesystem::create_symlink(path_, folder_ + "/link");
    EXPECT_TRUE(open_root_key(folder_ + "/link").error().is(PlaceError::root_key_missing));
}

TEST_F(RootKeyFileTest, next_key_waits_beside_the_other_until_it_takes_over) {
    std::ofstream(path_) << "old";
    auto next = NextRootKeyFile::begin(path_);
    ASSERT_TRUE(next);
    const auto descriptor = next->descriptor();
    ASSERT_EQ(::write(descriptor->get(), "next", 4), 4);
    ASSERT_TRUE(next->publish());
    EXPECT_EQ(content(), "old");
    ASSERT_TRUE(open_next_root_key(path_)->valid());
    ASSERT_TRUE(next->take_over());
    EXPECT_EQ(content(), "next");
    EXPECT_FALSE(open_next_root_key(path_)->valid());
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0400U);
}

TEST_F(RootKeyFileTest, interrupted_rotation_is_settled_either_way) {
    for (const bool fits : {false, true}) {
        std::filesystem::remove(path_);
        std::ofstream(path_) << "old";
        auto next = NextRootKeyFile::begin(path_);
        const auto descriptor = next->descriptor();
        ASSERT_EQ(::write(descriptor->get(), "next", 4), 4);
        ASSERT_TRUE(next->publish());
        ASSERT_TRUE(settle_root_key(path_, fits));
        EXPECT_EQ(content(), fits ? "next" : "old");
        EXPECT_FALSE(std::filesystem::exists(path_ + ".next"));
    }
    EXPECT_TRUE(settle_root_key(path_, false)) << "there is none to settle";
}

TEST_F(RootKeyFileTest, next_key_that_others_may_read_is_refused) {
    std::ofstream(path_ + ".next") << "next";
    ASSERT_EQ(::chmod((path_ + ".next").c_str(), 0440), 0);
    EXPECT_EQ(open_next_root_key(path_).error().code(), "root_key_unsafe");
}

TEST_F(RootKeyFileTest, key_under_a_passphrase_is_told_by_its_size) {
    std::ofstream(path_) << std::string(32, 'k');
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_FALSE(*is_under_passphrase(*open_root_key(path_)));
    std::filesystem::remove(path_);
    std::ofstream(path_) << std::string(148, 'k');
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(*is_under_passphrase(*open_root_key(path_)));
    for (const std::size_t torn : {0, 20, 31, 33, 147, 149}) {
        std::filesystem::remove(path_);
        std::ofstream(path_) << std::string(torn, 'k');
        ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
        EXPECT_FALSE(*is_under_passphrase(*open_root_key(path_))) << torn;
    }
}

TEST_F(RootKeyFileTest, next_key_has_its_name_only_when_it_is_whole) {
    std::ofstream(path_) << "old";
    {
        auto next = NextRootKeyFile::begin(path_);
        ASSERT_TRUE(next);
        EXPECT_FALSE(open_next_root_key(path_)->valid());
        // Two commands at once do not write to one file.
        EXPECT_EQ(NextRootKeyFile::begin(path_).error().code(), "root_key_unsettled");
        next->discard();
        EXPECT_EQ(files(), 1);
    }
    auto next = NextRootKeyFile::begin(path_);
    ASSERT_TRUE(next->publish());
    EXPECT_EQ(files(), 2);
    EXPECT_EQ(NextRootKeyFile::begin(path_).error().code(), "root_key_unsettled");
    next->discard();
    EXPECT_EQ(files(), 1);
    // Left by a crash.
    ASSERT_TRUE(NextRootKeyFile::begin(path_));
    EXPECT_EQ(NextRootKeyFile::begin(path_).error().code(), "root_key_unsettled");
    EXPECT_EQ(unsettled_root_key(path_), path_ + ".next.new");
    ASSERT_TRUE(remove_unfinished_root_key(path_));
    EXPECT_EQ(unsettled_root_key(path_), "");
    EXPECT_TRUE(NextRootKeyFile::begin(path_));
}

TEST_F(RootKeyFileTest, next_key_never_replaces_one_that_came_meanwhile) {
    std::ofstream(path_) << "old";
    auto next = NextRootKeyFile::begin(path_);
    std::ofstream(path_ + ".next") << "of somebody";
    EXPECT_EQ(next->publish().error().code(), "root_key_unsettled");
    next->discard();
    EXPECT_TRUE(std::filesystem::exists(path_ + ".next"));
    EXPECT_EQ(files(), 2);
}

}  // namespace
}  // namespace postern::app::supervisor
