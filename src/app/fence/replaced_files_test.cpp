#include "app/fence/replaced_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace postern::app::fence {
namespace {

class ReplacedFilesTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "pst-replaced-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        write("one", "1");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name) << text;
    }

    std::filesystem::path folder_;
};

TEST_F(ReplacedFilesTest, a_file_that_is_only_written_to_is_the_same) {
    const ReplacedFiles files({folder_ / "one", folder_ / "none"});
    write("one", "another text");
    EXPECT_FALSE(files.any());
}

TEST_F(ReplacedFilesTest, another_file_under_the_name_is_seen) {
    const ReplacedFiles files({folder_ / "one"});
    write("new", "1");
    std::filesystem::rename(folder_ / "new", folder_ / "one");
    EXPECT_TRUE(files.any());
}

TEST_F(ReplacedFilesTest, one_that_goes_or_comes_is_seen) {
    const ReplacedFiles gone({folder_ / "one"});
    const ReplacedFiles come({folder_ / "two"});
    std::filesystem::remove(folder_ / "one");
    write("two", "2");
    EXPECT_TRUE(gone.any());
    EXPECT_TRUE(come.any());
}

TEST_F(ReplacedFilesTest, a_link_stands_for_what_it_leads_to) {
    write("other", "2");
    std::filesystem::create_symlink("one", folder_ / "link");
    const ReplacedFiles files({folder_ / "link"});
    std::filesystem::remove(folder_ / "link");
    std::filesystem::create_symlink("other", folder_ / "link");
    EXPECT_TRUE(files.any());
}

}  // namespace
}  // namespace postern::app::fence
