#include "platform/os/process.h"

#include "platform/os/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <array>
#include <cstddef>
#include <string>

namespace postern::os {
namespace {

/// Runs /bin/sh as a child of ours and returns what it wrote to its descriptor 5.
std::string run_shell(const std::string& script, ChildPlan plan, int* status) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
    const Fd reading(ends[0]);
    Fd writing(ends[1]);
    const Fd shell(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
    plan.executable = shell.get();
    plan.arguments = {"sh", "-c", script};
    plan.descriptors.emplace_back(writing.get(), 5);
    const auto child = start_child(plan);
    if (!child) return "no child";
    writing.reset();
    std::string out;
    std::array<char, 4096> chunk{};
    ssize_t got = 0;
    while ((got = ::read(reading.get(), chunk.data(), chunk.size())) > 0) {
        out.append(chunk.data(), static_cast<std::size_t>(got));
    }
    ::waitpid(*child, status, 0);
    return out;
}

TEST(StartChild, gives_only_the_named_descriptors_and_no_environment) {
    const Fd extra(::open("/dev/null", O_RDONLY));  // without close-on-exec, on purpose
    int status = -1;
    const auto out =
        run_shell("ls /proc/self/fd | tr '\\n' ' ' >&5; echo \"[$HOME$PATH_X]\" >&5", {}, &status);
    // ls itself opens one more; our own open file is not among them.
    const auto extra_number = " " + std::to_string(extra.get()) + " ";
    EXPECT_NE(out.find("5 "), std::string::npos) << out;
    if (extra.get() > 6) {
        EXPECT_EQ(out.find(extra_number), std::string::npos) << out;
    }
    EXPECT_NE(out.find("[]"), std::string::npos) << out;
    EXPECT_EQ(status, 0);
}

TEST(StartChild, child_gains_no_privileges_and_dies_with_us) {
    int status = -1;
    const auto out = run_shell("grep NoNewPrivs /proc/self/status >&5", {}, &status);
    EXPECT_NE(out.find("1"), std::string::npos) << out;
}

TEST(StartChild, drops_to_its_uid_inside_a_folder_it_owns) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to drop to another uid";
    std::string pattern = ::testing::TempDir() + "postern-os-XXXXXX";
    const std::string directory = ::mkdtemp(pattern.data());
    constexpr uid_t k_uid = 65299;
    ASSERT_EQ(::chown(directory.c_str(), k_uid, k_uid), 0);
    const Fd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ChildPlan plan;
    plan.directory = folder.get();
    plan.uid = k_uid;
    int status = -1;
    const auto out = run_shell("id -u >&5; id -G >&5; echo x > inside; pwd -P >&5", plan, &status);
    EXPECT_NE(out.find("65299\n65299\n"), std::string::npos) << out;
    struct stat written{};
    EXPECT_EQ(::stat((directory + "/inside").c_str(), &written), 0);
    EXPECT_EQ(written.st_uid, k_uid);
    ::unlink((directory + "/inside").c_str());
    ::rmdir(directory.c_str());
}

TEST(StartChild, plan_that_cannot_be_carried_out_ends_with_126) {
    ChildPlan plan;
    plan.executable = 9999;
    const auto child = start_child(plan);
    ASSERT_TRUE(child.has_value());
    int status = 0;
    ASSERT_EQ(::waitpid(*child, &status, 0), *child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 126);
}

TEST(AllowDescriptors, raises_the_soft_limit_up_to_the_hard_one_and_lowers_nothing) {
    struct rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = before;
    few.rlim_cur = 64;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    EXPECT_EQ(allow_descriptors(100), 100U);
    EXPECT_EQ(allow_descriptors(80), 100U);
    EXPECT_EQ(allow_descriptors(static_cast<std::size_t>(before.rlim_max) + 1), before.rlim_max);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(RoleUid, differs_per_role_for_root_only) {
    if (::geteuid() != 0) {
        EXPECT_FALSE(role_uid(0, "front").has_value());
        GTEST_SKIP() << "the rest needs root";
    }
    EXPECT_NE(role_uid(0, "nosuchrole"), role_uid(1, "nosuchrole"));
    EXPECT_NE(role_uid(0, "nosuchrole"), uid_t{0});
}

}  // namespace
}  // namespace postern::os
