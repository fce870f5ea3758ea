#include "features/vault/root_key.h"

#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "platform/os/files.h"

#include <sys/stat.h>
#include <cstddef>
#include <string>

namespace postern::vault {
namespace {

TEST(RootKey, file_holds_it_for_its_owner_only) {
    const TestFolder folder;
    const auto path = folder.file("root.key");
    const auto key = make_root_key();
    ASSERT_TRUE(write_root_key(path, key));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0400U);
    const auto read = read_root_key(path);
    ASSERT_TRUE(read);
    EXPECT_EQ(bytes_of(*read), bytes_of(key));
    EXPECT_FALSE(write_root_key(path, key));
}

TEST(RootKey, refuses_files_that_are_no_root_key) {
    const TestFolder folder;
    EXPECT_EQ(code_of(read_root_key(folder.file("missing"))), "file_not_found");
    for (const std::size_t size : {0, 31}) {
        const auto path = folder.file(std::to_string(size));
        ASSERT_TRUE(os::create_file(path, Bytes(size, 1), 0400));
        EXPECT_EQ(code_of(read_root_key(path)), "bad_root_key_file");
    }
    ASSERT_TRUE(os::create_file(folder.file("long"), Bytes(33, 1), 0400));
    EXPECT_FALSE(read_root_key(folder.file("long")));
    ASSERT_TRUE(os::create_file(folder.file("open"), Bytes(32, 1), 0444));
    EXPECT_EQ(code_of(read_root_key(folder.file("open"))), "file_too_open");
}

TEST(RootKey, fingerprint_tells_keys_apart_and_is_stable) {
    EXPECT_EQ(fingerprint(filled_key(1)).size(), 32U);
    EXPECT_EQ(fingerprint(filled_key(1)), fingerprint(filled_key(1)));
    EXPECT_NE(fingerprint(filled_key(1)), fingerprint(filled_key(2)));
}

}  // namespace
}  // namespace postern::vault
