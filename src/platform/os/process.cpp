#include "platform/os/process.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::os {
namespace {

// systemd.exec(5), DynamicUser=: 61184 to 65519. A block that its allocator, which hashes names,
// is unlikely to be using; installing the packages' own users avoids the question.
constexpr uid_t k_first_uid = 65200;
constexpr int k_exec_failed = 126;
constexpr int k_first_free = 64;

/// Moves every descriptor out of the way first, so that a target number is never one still needed.
bool place_descriptors(const ChildPlan& plan, int& executable, int& directory) {
    const auto lift = [](int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, k_first_free); };
    executable = lift(plan.executable);
    if (plan.directory >= 0) directory = lift(plan.directory);
    if (executable < 0 || (plan.directory >= 0 && directory < 0)) return false;
    std::vector<std::pair<int, int>> lifted;
    for (const auto& [ours, theirs] : plan.descriptors) {
        const int fd = lift(ours);
        if (fd < 0 || theirs >= k_first_free) return false;
        lifted.emplace_back(fd, theirs);
    }
    for (const auto& [fd, theirs] : lifted) {
        if (::dup2(fd, theirs) < 0) return false;
    }
    int first_unused = 3;
    for (const auto& [fd, theirs] : lifted)
        first_unused = std::max(first_unused, theirs + 1);
    // What is not handed over closes at exec, at the latest.
    return ::syscall(SYS_close_range, static_cast<unsigned>(first_unused), ~0U,
                     1U << 2 /* CLOSE_RANGE_CLOEXEC */) == 0;
}

bool drop_to(uid_t uid) {
    return ::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 &&
           ::setresuid(uid, uid, uid) == 0 && ::setuid(0) != 0;
}

[[noreturn]] void run_child(const ChildPlan& plan, pid_t parent) {
    int executable = -1;
    int directory = -1;
    const bool placed = place_descriptors(plan, executable, directory);
    const bool moved = placed && (directory >= 0 ? ::fchdir(directory) == 0 : ::chdir("/") == 0);
    const bool dropped = moved && (!plan.uid || drop_to(*plan.uid));
    if (!dropped || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        ::_exit(k_exec_failed);
    }
    std::vector<char*> argv;
    argv.reserve(plan.arguments.size() + 1);
    for (const auto& argument : plan.arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    char* environment[] = {const_cast<char*>("LC_ALL=C.UTF-8"), nullptr};
    ::fexecve(executable, argv.data(), environment);
    ::_exit(k_exec_failed);
}

}  // namespace

Result<std::pair<Fd, Fd>> socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return fail(errno_error("socketpair"));
    }
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<pid_t> start_child(const ChildPlan& plan) {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) return fail(errno_error("fork"));
    if (child == 0) run_child(plan, parent);
    return child;
}

Result<> harden_process() {
    const struct rlimit none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(errno_error("hardening"));
    }
    return {};
}

std::size_t allow_descriptors(std::size_t wanted) {
    struct rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const auto before = limit.rlim_cur;
    if (before < wanted) {
        limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    }
    return static_cast<std::size_t>(limit.rlim_cur);
}

std::optional<uid_t> role_uid(std::size_t role_index, const std::string& role) {
    if (::geteuid() != 0) return std::nullopt;
    const std::string name = "postern-" + role;
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> text{};
    const int failed = ::getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
    if (failed == 0 && found != nullptr) return found->pw_uid;
    return k_first_uid + static_cast<uid_t>(role_index);
}

}  // namespace postern::os
