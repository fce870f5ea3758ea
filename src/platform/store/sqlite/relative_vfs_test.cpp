#include "platform/store/sqlite/relative_vfs.h"

#include "platform/os/fd.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/transaction.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <csignal>
#include <filesystem>

namespace postern::store {
namespace {

constexpr uid_t k_uid = 64'321;

/// What a child does that gives up its rights before it opens anything. Exit code 42 = all well.
int open_below(const std::filesystem::path& inner, Database::Options options) {
    const os::Fd folder(::open(inner.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (::fchdir(folder.get()) != 0) return 1;
    if (::setgroups(0, nullptr) != 0 || ::setgid(k_uid) != 0 || ::setuid(k_uid) != 0) return 2;
    if (::access(inner.c_str(), F_OK) == 0) return 3;

    sqlite3* plain = nullptr;
    const int code =
        sqlite3_open_v2("plain.db", &plain, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix");
    sqlite3_close(plain);
    if (code == SQLITE_OK) return 4;  // then the shim would not be needed

    options.file = "store.db";
    for (const int round : {1, 2}) {
        const auto database = Database::open(options);
        if (!database) return 5;
        const auto added =
            (*database)->write_now([&](Transaction& t) { return add_note(t, round); });
        if (!added || count_notes(**database) != round) return 6;
        if (!(*database)->checkpoint_truncate_now()) return 7;
    }
    return 42;
}

class RelativeVfs : public OnFiles {};

TEST_F(RelativeVfs, opens_a_store_when_no_folder_above_may_be_looked_at) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
    const TestFolder folder;
    const auto outer = folder.path() / "outer";
    const auto inner = outer / "inner";
    std::filesystem::create_directories(inner);
    ASSERT_EQ(::chmod(outer.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(inner.c_str(), 0700), 0);
    ASSERT_EQ(::chown(inner.c_str(), k_uid, k_uid), 0);
    auto options = options_for(folder);
    options.readers = 2;

    const pid_t child = ::fork();
    if (child == 0) ::_exit(open_below(inner, options));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
    EXPECT_TRUE(std::filesystem::exists(inner / "store.db"));
}

TEST_F(RelativeVfs, refuses_a_name_when_it_does_not_fit) {
    ASSERT_STREQ(sqlite::relative_vfs(), "postern-relative");
    auto* const vfs = sqlite3_vfs_find("postern-relative");
    ASSERT_NE(vfs, nullptr);
    char out[8] = {};
    EXPECT_EQ(vfs->xFullPathname(vfs, "a/../b", sizeof out, out), SQLITE_OK);
    EXPECT_STREQ(out, "a/../b");
    EXPECT_EQ(vfs->xFullPathname(vfs, "1234567", sizeof out, out), SQLITE_OK);
    EXPECT_EQ(vfs->xFullPathname(vfs, "12345678", sizeof out, out), SQLITE_CANTOPEN);
    EXPECT_EQ(vfs->xFullPathname(vfs, "", 0, out), SQLITE_CANTOPEN);
    EXPECT_NE(sqlite3_vfs_find(nullptr), vfs) << "not the default of others";
}

}  // namespace
}  // namespace postern::store
