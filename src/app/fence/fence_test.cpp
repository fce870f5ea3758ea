#include "app/fence/fence.h"

#include "app/config/config.h"
#include "platform/os/system_call_filter.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

config::Config with_server(std::string host) {
    config::Config config;
    config.store.engine = config::StoreEngine::postgresql;
    config.store.bulk.hosts = {{.name = std::move(host), .port = 5432}};
    config.store.keyring.hosts = config.store.bulk.hosts;
    return config;
}

bool may_open(const Fence& fence, std::uint64_t family, std::uint64_t type) {
    return std::ranges::any_of(fence.system_calls, [&](const os::SystemCallRule& rule) {
        return std::string_view(rule.name) == "socket" && rule.refused_with == 0 &&
               rule.tests.size() > 1 && rule.tests[0].value == family &&
               rule.tests[1].value == type;
    });
}

TEST(Fence, a_server_s_address_decides_what_sockets_there_are_for_it) {
    for (const auto of : {&of_front, &of_keeper}) {
        const auto by_address = of(with_server("192.0.2.1"));
        const auto by_name = of(with_server("db.example"));
        const auto by_folder = of(with_server("/run/postgresql"));
        EXPECT_TRUE(may_open(by_address, AF_INET, SOCK_STREAM));
        EXPECT_FALSE(may_open(by_address, AF_INET, SOCK_DGRAM));
        EXPECT_FALSE(may_open(by_address, AF_UNIX, SOCK_STREAM));
        EXPECT_TRUE(may_open(by_name, AF_INET, SOCK_DGRAM));
        EXPECT_FALSE(may_open(by_name, AF_UNIX, SOCK_STREAM));
        EXPECT_FALSE(may_open(by_folder, AF_INET, SOCK_DGRAM));
        EXPECT_TRUE(may_open(by_folder, AF_UNIX, SOCK_STREAM));
        for (const auto& fence : {by_address, by_name, by_folder})
            EXPECT_TRUE(closes(fence));
    }
    EXPECT_FALSE(may_open(of_front(with_server("2001:db8::1")), AF_INET, SOCK_DGRAM));
}

TEST(Fence, a_send_that_connects_and_other_protocols_are_no_way_around_the_ports) {
    for (const auto& fence : {of_front(k_default), of_keeper(k_default), of_courier(k_default),
                              of_front(with_server("db.example"))}) {
        for (const auto& rule : fence.system_calls) {
            const std::string_view name = rule.name;
            if (name == "sendmsg" || name == "sendto" || name == "sendmmsg") {
                ASSERT_EQ(rule.tests.size(), 1U) << name;
                EXPECT_EQ(rule.tests[0].mask, std::uint64_t{MSG_FASTOPEN}) << name;
                EXPECT_EQ(rule.tests[0].value, 0U) << name;
            }
            if (name == "socket" && rule.refused_with == 0 && rule.tests[0].value != AF_UNIX) {
                ASSERT_EQ(rule.tests.size(), 3U);
                const auto plain = rule.tests[1].value == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
                EXPECT_TRUE(rule.tests[2].value == 0 ||
                            rule.tests[2].value == std::uint64_t{plain});
            }
        }
    }
}

TEST(Fence, a_kernel_without_rules_for_ports_is_told_where_calls_do_not_stand_in_for_them) {
    EXPECT_TRUE(missing_parts(k_default, {.landlock = 3, .filters = true}).empty());
    EXPECT_TRUE(missing_parts(with_server("db.example"), {.landlock = 4, .filters = true}).empty());
    EXPECT_EQ(missing_parts(with_server("db.example"), {.landlock = 3, .filters = true}).size(),
              1U);
    EXPECT_EQ(missing_parts(k_default, {.landlock = 0, .filters = false}).size(), 2U);
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
