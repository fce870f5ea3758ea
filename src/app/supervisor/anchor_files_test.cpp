#include "app/supervisor/anchor_files.h"

#include "app/control/control_protocol.h"
#include "platform/os/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace postern::app::supervisor {
namespace {

using control::AnchorStep;

class AnchorFilesTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "postern-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string path() const { return folder_ + "/anchors"; }
    static void append(const AnchorFiles& files, const std::string& text) {
        ASSERT_EQ(::write(files.present.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
    static std::string read(const std::string& file) {
        return os::read_file(file, 1000).value_or("none");
    }

    std::string folder_;
};

TEST_F(AnchorFilesTest, file_is_made_and_appended_to) {
    auto files = open_anchor_files(path(), AnchorStep::open).value();
    EXPECT_FALSE(files.before.valid());
    append(files, "one\n");
    files = open_anchor_files(path(), AnchorStep::open).value();
    append(files, "two\n");
    EXPECT_EQ(read(path()), "one\ntwo\n");
    struct stat status{};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(AnchorFilesTest, rotating_keeps_one_before) {
    append(open_anchor_files(path(), AnchorStep::open).value(), "one\n");
    append(open_anchor_files(path(), AnchorStep::rotate).value(), "two\n");
    auto files = open_anchor_files(path(), AnchorStep::rotate).value();
    EXPECT_TRUE(files.before.valid());
    EXPECT_EQ(read(path()), "");
    EXPECT_EQ(read(path() + ".1"), "two\n");
}

TEST_F(AnchorFilesTest, accepting_puts_both_aside) {
    append(open_anchor_files(path(), AnchorStep::open).value(), "one\n");
    append(open_anchor_files(path(), AnchorStep::rotate).value(), "two\n");
    const auto files = open_anchor_files(path(), AnchorStep::accept).value();
    EXPECT_FALSE(files.before.valid());
    EXPECT_EQ(read(path()), "");
    EXPECT_EQ(read(path() + ".accepted-1"), "two\n");
    EXPECT_EQ(read(path() + ".1.accepted-1"), "one\n");
    append(open_anchor_files(path(), AnchorStep::open).value(), "three\n");
    ASSERT_TRUE(open_anchor_files(path(), AnchorStep::accept));
    EXPECT_EQ(read(path() + ".accepted-1"), "two\n");
    EXPECT_EQ(read(path() + ".accepted-2"), "three\n");
}

TEST_F(AnchorFilesTest, what_is_no_file_of_ours_is_refused) {
    EXPECT_FALSE(open_anchor_files("", AnchorStep::accept));
    EXPECT_FALSE(open_anchor_files(folder_ + "/none/anchors", AnchorStep::open));
    std::filesystem::create_directory(path());
    EXPECT_FALSE(open_anchor_files(path(), AnchorStep::open));
    std::filesystem::remove(path());
    std::filesystem::create_symlink("/dev/null", path());
    EXPECT_FALSE(open_anchor_files(path(), AnchorStep::open));
    std::filesystem::remove(path());
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    EXPECT_FALSE(open_anchor_files(path(), AnchorStep::open));
    std::filesystem::remove(path());
    ASSERT_TRUE(open_anchor_files(path(), AnchorStep::open));
    ASSERT_EQ(::chmod(path().c_str(), 0620), 0);
    EXPECT_FALSE(open_anchor_files(path(), AnchorStep::open));
    ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
    std::filesystem::create_hard_link(path(), path() + ".other");
    EXPECT_FALSE(open_anchor_files(path(), AnchorStep::open));
}

}  // namespace
}  // namespace postern::app::supervisor
