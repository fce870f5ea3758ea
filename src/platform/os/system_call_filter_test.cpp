#include "platform/os/system_call_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace postern::os {
namespace {

constexpr int k_not_entered = 255;
using Argument = SystemCallRule::Test;

/// What a child that has entered the filter returns, or "signal N".
std::string in_filter(std::vector<SystemCallRule> rules,
                      const std::function<int()>& act,
                      Violation violation = Violation::kill) {
    rules.push_back({"exit_group", 0, {}});
    const pid_t child = ::fork();
    if (child == 0) {
        const bool entered = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                             enter_system_call_filter(rules, violation).has_value();
        ::_exit(entered ? act() : k_not_entered);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return std::to_string(WEXITSTATUS(status));
}

const std::string k_killed = "signal " + std::to_string(SIGSYS);

int ask_for_pid() {
    return ::syscall(SYS_getppid) > 0 ? 3 : 4;
}

class SystemCallFilter : public testing::Test {
protected:
    void SetUp() override {
        if (!has_system_call_filters()) GTEST_SKIP() << "this kernel has no filters";
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
        GTEST_SKIP() << "the sanitizer makes calls of its own";
#endif
#endif
    }
};

TEST_F(SystemCallFilter, a_call_on_the_list_is_made_and_another_kills) {
    EXPECT_EQ(in_filter({{"getppid", 0, {}}}, ask_for_pid), "3");
    EXPECT_EQ(in_filter({}, ask_for_pid), k_killed);
}

TEST_F(SystemCallFilter, a_violation_that_is_only_logged_goes_on) {
    EXPECT_EQ(in_filter({}, ask_for_pid, Violation::log), "3");
}

TEST_F(SystemCallFilter, arguments_are_looked_at) {
    static constexpr Argument k_local[] = {{0, 0xffffffffU, AF_UNIX}};
    const auto open_socket = [](int family) {
        return [family] { return ::syscall(SYS_socket, family, SOCK_STREAM, 0) >= 0 ? 3 : errno; };
    };
    EXPECT_EQ(in_filter({{"socket", 0, k_local}}, open_socket(AF_UNIX)), "3");
    EXPECT_EQ(in_filter({{"socket", 0, k_local}}, open_socket(AF_INET)), k_killed);
}

TEST_F(SystemCallFilter, bits_that_must_be_missing_are_looked_at) {
    static constexpr Argument k_not_executable[] = {{2, PROT_EXEC, 0}};
    const auto map = [](int protection) {
        return [protection] {
            const auto got =
                ::syscall(SYS_mmap, nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            return got != -1 ? 3 : 4;
        };
    };
    EXPECT_EQ(in_filter({{"mmap", 0, k_not_executable}}, map(PROT_READ | PROT_WRITE)), "3");
    EXPECT_EQ(in_filter({{"mmap", 0, k_not_executable}}, map(PROT_READ | PROT_EXEC)), k_killed);
}

TEST_F(SystemCallFilter, a_call_can_be_answered_with_an_error_instead) {
    const auto ask = [] { return ::syscall(SYS_clone3, nullptr, 0) == -1 ? errno : 0; };
    EXPECT_EQ(in_filter({{"clone3", ENOSYS, {}}}, ask), std::to_string(ENOSYS));
}

TEST_F(SystemCallFilter, a_call_of_the_other_word_size_kills) {
#if defined(__x86_64__)
    const auto ask = [] {
        long answer = 20;  // getpid of 32 bits
        asm volatile("int $0x80" : "+a"(answer) : : "memory");
        return 3;
    };
    EXPECT_EQ(in_filter({{"getpid", 0, {}}}, ask), k_killed);
#endif
}

TEST_F(SystemCallFilter, an_unknown_name_is_an_error) {
    EXPECT_EQ(in_filter({{"no_such_call", 0, {}}}, ask_for_pid), std::to_string(k_not_entered));
}

}  // namespace
}  // namespace postern::os
