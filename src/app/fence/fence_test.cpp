#include "app/fence/fence.h"

#include "app/config/config.h"
#include "platform/os/system_call_filter.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::app::fence {
namespace {

bool has(const Fence& fence, std::string_view call) {
    return std::ranges::any_of(fence.system_calls, [call](const os::SystemCallRule& rule) {
        return rule.name == call && rule.refused_with == 0;
    });
}

/// Whether a child can close this fence around itself: every name and path of it is good here.
bool closes(const Fence& fence) {
    const pid_t child = ::fork();
    if (child == 0) {
        const bool done = ::chdir(std::filesystem::temp_directory_path().c_str()) == 0 &&
                          ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && enter(fence).has_value();
        ::_exit(done ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const config::Config k_default;
const std::vector<Fence> k_all{of_front(k_default), of_keeper(k_default), of_courier(k_default),
                               of_reader(os::Violation::kill)};

TEST(Fence, every_one_closes) {
    for (const auto& fence : k_all)
        EXPECT_TRUE(closes(fence));
}

TEST(Fence, no_role_may_execute_trace_signal_or_change_who_it_is) {
    for (const auto& fence : k_all) {
        for (const auto* call :
             {"execve",  "execveat", "fork",           "vfork",       "ptrace", "process_vm_readv",
              "kill",    "setuid",   "setresuid",      "chroot",      "mount",  "unshare",
              "setns",   "bpf",      "io_uring_setup", "userfaultfd", "keyctl", "open_by_handle_at",
              "seccomp", "clone3"}) {
            EXPECT_FALSE(has(fence, call)) << call;
        }
        EXPECT_EQ(fence.violation, os::Violation::kill);
    }
}

TEST(Fence, who_connects_and_who_listens) {
    EXPECT_FALSE(has(of_front(k_default), "connect"));
    EXPECT_TRUE(has(of_front(k_default), "listen"));
    EXPECT_TRUE(has(of_courier(k_default), "connect"));
    for (const auto& fence : {of_courier(k_default), of_keeper(k_default)})
        EXPECT_FALSE(has(fence, "listen"));
    for (const auto& fence : {of_keeper(k_default), of_reader(os::Violation::kill)}) {
        EXPECT_FALSE(has(fence, "socket"));
        EXPECT_FALSE(has(fence, "connect"));
    }
    EXPECT_FALSE(has(of_reader(os::Violation::kill), "openat"));
}

TEST(Fence, front_listens_at_the_configured_ports_only) {
    config::Config config;
    config.listen = {{.address = "127.0.0.1", .port = 8080}, {.address = "::1", .port = 0}};
    config.metrics_listen = {{.address = "127.0.0.1", .port = 9100}};
    const auto rules = of_front(config).files_and_ports;
    EXPECT_EQ(rules.listen_ports, (std::vector<std::uint16_t>{8080, 0, 9100}));
    EXPECT_EQ(rules.connect_ports, std::optional(std::vector<std::uint16_t>{}));
}

TEST(Fence, only_the_setting_makes_violations_be_logged) {
    config::Config config;
    config.isolation.only_log = true;
    EXPECT_EQ(of_front(config).violation, os::Violation::log);
    const auto missing = missing_isolation(config);
    if (missing.contains("sanitizer")) GTEST_SKIP() << missing;
    EXPECT_TRUE(missing.contains("only logged")) << missing;
}

}  // namespace
}  // namespace postern::app::fence
