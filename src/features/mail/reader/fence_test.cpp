// After warm_up() nothing of this module may open a file: the process it runs in has none.
#include "features/mail/reader/charset.h"
#include "features/mail/reader/parse_mail.h"
#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define POSTERN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POSTERN_SANITIZED 1
#endif
#endif

namespace postern::reader {
namespace {

// Ends the process at any call that could open something.
bool forbid_opening() {
    const auto statement = [](unsigned code, unsigned value) {
        return sock_filter{static_cast<std::uint16_t>(code), 0, 0, value};
    };
    std::vector<sock_filter> filter{
        statement(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr)))};
    for (const long call : {SYS_openat, SYS_open, SYS_socket, SYS_stat, SYS_newfstatat}) {
        filter.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<unsigned>(call)});
        filter.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    }
    filter.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void read_in_every_charset() {
    static constexpr std::array k_charsets{
        "us-ascii",        "iso-8859-1",   "iso-8859-2",   "iso-8859-5",    "iso-8859-7",
        "iso-8859-15",     "windows-1250", "windows-1251", "windows-1252",  "windows-1256",
        "koi8-r",          "koi8-u",       "iso-2022-jp",  "shift_jis",     "euc-jp",
        "gb18030",         "gbk",          "gb2312",       "big5",          "euc-kr",
        "iso-2022-kr",     "utf-16",       "utf-16le",     "utf-7",         "utf-32",
        "macintosh",       "ibm850",       "ebcdic-us",    "ibm037",        "iso-ir-197",
        "iso-2022-cn-ext", "tcvn",         "//translit",   "utf-8//ignore", "../../evil"};
    for (const std::string charset : k_charsets) {
        const std::string raw =
            "Subject: =?" + charset + "?q?=E4=F6_=1B$B$3?=\nFrom: =?" + charset +
            "?b?5Pb8?= <a@b.example>\nDate: Tue, 7 Apr 2026 10:00:00 EST\n"
            "Content-Type: text/html; charset=" +
            charset + "; name*=" + charset + "''%E4.txt\n\n<p>\xE4\xF6\xFC \x1B$B$3$s</p>";
        (void)parse_mail(as_bytes(raw));
    }
}

TEST(Fence, nothing_is_opened_after_warm_up) {
#ifdef POSTERN_SANITIZED
    GTEST_SKIP() << "the sanitizer opens files by itself";
#endif
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        warm_up();
        if (!forbid_opening()) _exit(77);
        read_in_every_charset();
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp here";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

TEST(Fence, opening_ends_the_process_in_this_test) {
#ifdef POSTERN_SANITIZED
    GTEST_SKIP() << "the sanitizer opens files by itself";
#endif
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (!forbid_opening()) _exit(77);
        // Without warm_up the first charset loads its module: the check above can fail.
        (void)to_utf8("\xE4", "iso-8859-2");
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp here";
    const bool warm = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (warm) GTEST_SKIP() << "converters were open already in this run";
    EXPECT_TRUE(WIFSIGNALED(status));
}

}  // namespace
}  // namespace postern::reader
