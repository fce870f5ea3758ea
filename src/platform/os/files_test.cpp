#include "platform/os/files.h"

#include "foundation/base/bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstdlib>
#include <string>

namespace postern::os {
namespace {

class FilesTest : public ::testing::Test {
protected:
    FilesTest() {
        std::string pattern = ::testing::TempDir() + "postern-os-XXXXXX";
        directory = ::mkdtemp(pattern.data());
    }
    ~FilesTest() override {
        ::unlink((directory + "/key").c_str());
        ::unlink((directory + "/link").c_str());
        ::rmdir(directory.c_str());
    }
    std::string directory;
};

TEST_F(FilesTest, secret_file_round_trips_with_its_mode) {
    const auto path = directory + "/key";
    ASSERT_TRUE(create_file(path, as_bytes("0123456789"), 0400).has_value());
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0400U);
    const auto secret = read_secret_file(path, 100);
    ASSERT_TRUE(secret.has_value());
    secret->with_bytes([](ByteView bytes) { EXPECT_EQ(as_text(bytes), "0123456789"); });
}

TEST_F(FilesTest, secret_file_that_others_may_read_is_refused) {
    const auto path = directory + "/key";
    ASSERT_TRUE(create_file(path, as_bytes("x"), 0600).has_value());
    for (const unsigned mode : {0604U, 0640U, 0660U, 0644U, 0601U}) {
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
        const auto secret = read_secret_file(path, 100);
        ASSERT_FALSE(secret.has_value()) << mode;
        EXPECT_TRUE(secret.error().is(OsError::too_open)) << mode;
    }
}

TEST_F(FilesTest, secret_file_behind_a_link_or_too_large_is_refused) {
    const auto path = directory + "/key";
    ASSERT_TRUE(create_file(path, as_bytes("12345"), 0400).has_value());
    ASSERT_EQ(::symlink(path.c_str(), (directory + "/link").c_str()), 0);
    EXPECT_FALSE(read_secret_file(directory + "/link", 100).has_value());
    EXPECT_TRUE(read_secret_file(path, 4).error().is(OsError::too_large));
    EXPECT_TRUE(read_secret_file(directory + "/none", 4).error().is(OsError::not_found));
}

TEST_F(FilesTest, existing_file_is_never_overwritten) {
    const auto path = directory + "/key";
    ASSERT_TRUE(create_file(path, as_bytes("first"), 0600).has_value());
    EXPECT_TRUE(create_file(path, as_bytes("second"), 0600).error().is(OsError::already_exists));
    EXPECT_EQ(read_file(path, 100), "first");
}

TEST(MemoryFile, maps_only_when_nobody_can_change_it_any_more) {
    auto open = empty_memory_file();
    ASSERT_TRUE(open.has_value());
    ASSERT_TRUE(append(open->get(), as_bytes("body")).has_value());
    EXPECT_TRUE(Mapping::of_sealed(open->get(), 100).error().is(OsError::no_permission));
    ASSERT_TRUE(seal_memory_file(open->get()).has_value());
    const auto mapped = Mapping::of_sealed(open->get(), 100);
    ASSERT_TRUE(mapped.has_value());
    EXPECT_EQ(as_text(mapped->bytes()), "body");
    EXPECT_FALSE(append(open->get(), as_bytes("more")).has_value());
    EXPECT_NE(::ftruncate(open->get(), 0), 0);
    EXPECT_TRUE(Mapping::of_sealed(open->get(), 3).error().is(OsError::too_large));
}

TEST(MemoryFile, ordinary_file_is_not_mapped) {
    const Fd file(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(Mapping::of_sealed(file.get(), 100).error().is(OsError::no_permission));
    const auto empty = make_memory_file({});
    ASSERT_TRUE(empty.has_value());
    EXPECT_TRUE(Mapping::of_sealed(empty->get(), 100)->bytes().empty());
}

}  // namespace
}  // namespace postern::os
