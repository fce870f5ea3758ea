#include "platform/os/landlock.h"

#include "platform/os/fd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace postern::os {
namespace {

constexpr int k_version_with_ports = 4;
constexpr int k_version_with_scopes = 6;

/// What `act` returns in a child that has entered `rules`; 255 when it could not.
int in_fence(const LandlockRules& rules, const std::function<int()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
        const bool entered =
            ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && enter_landlock(rules).has_value();
        ::_exit(entered ? act() : 255);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// 0, or the errno of opening.
int opened(const std::string& path, int flags) {
    const Fd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    return file.valid() ? 0 : errno;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int listening_at(const Fd& socket, std::uint16_t port) {
    const auto address = loopback(port);
    const bool done =
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
        ::listen(socket.get(), 1) == 0;
    return done ? 0 : errno;
}

std::uint16_t port_of(const Fd& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

int connected_to(std::uint16_t port) {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(port);
    const int done =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    return done == 0 ? 0 : errno;
}

class Landlock : public testing::Test {
protected:
    void SetUp() override {
        if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
        std::string name = "/tmp/pst-landlock-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        outside_ = name + ".outside";
        ASSERT_EQ(opened(folder_ + "/file", O_RDWR | O_CREAT), 0);
        ASSERT_EQ(opened(outside_, O_RDWR | O_CREAT), 0);
    }
    void TearDown() override {
        if (folder_.empty()) return;
        for (const auto* name : {"/file", "/new", "/link"})
            ::unlink((folder_ + name).c_str());
        ::rmdir(folder_.c_str());
        ::unlink(outside_.c_str());
    }

    std::string folder_;
    std::string outside_;
};

TEST_F(Landlock, nothing_can_be_opened_without_a_rule) {
    EXPECT_EQ(in_fence({}, [&] { return opened(folder_ + "/file", O_RDONLY); }), EACCES);
    EXPECT_EQ(in_fence({}, [&] { return opened("/etc/passwd", O_RDONLY); }), EACCES);
    EXPECT_EQ(in_fence({}, [&] { return opened(folder_ + "/new", O_RDWR | O_CREAT); }), EACCES);
}

TEST_F(Landlock, a_readable_folder_is_not_writable) {
    const LandlockRules rules{.readable = {folder_}};
    EXPECT_EQ(in_fence(rules, [&] { return opened(folder_ + "/file", O_RDONLY); }), 0);
    EXPECT_EQ(in_fence(rules, [&] { return opened(folder_ + "/file", O_WRONLY); }), EACCES);
    EXPECT_EQ(in_fence(rules, [&] { return opened(folder_ + "/new", O_RDWR | O_CREAT); }), EACCES);
    EXPECT_EQ(in_fence(rules, [&] { return opened(outside_, O_RDONLY); }), EACCES);
}

TEST_F(Landlock, a_writable_folder_takes_plain_files_and_nothing_else) {
    const LandlockRules rules{.writable = {folder_}};
    EXPECT_EQ(in_fence(rules, [&] { return opened(folder_ + "/new", O_RDWR | O_CREAT); }), 0);
    EXPECT_EQ(in_fence(rules, [&] { return ::unlink((folder_ + "/new").c_str()); }), 0);
    EXPECT_EQ(in_fence(rules, [&] { return ::truncate((folder_ + "/file").c_str(), 0); }), 0);
    const auto linked = [&] {
        return ::symlink("/etc/passwd", (folder_ + "/link").c_str()) == 0 ? 0 : errno;
    };
    EXPECT_EQ(in_fence(rules, linked), EACCES);
    const auto executed = [&] {
        ::execl("/bin/true", "true", nullptr);
        return errno;
    };
    EXPECT_EQ(in_fence(rules, executed), EACCES);
    EXPECT_EQ(in_fence(rules, [&] { return opened(outside_, O_RDONLY); }), EACCES);
}

TEST_F(Landlock, a_missing_readable_file_is_left_and_a_missing_writable_folder_is_an_error) {
    EXPECT_EQ(in_fence({.readable = {folder_ + "/none"}}, [] { return 7; }), 7);
    EXPECT_EQ(in_fence({.writable = {folder_ + "/none"}}, [] { return 7; }), 255);
}

TEST_F(Landlock, what_was_open_stays_open) {
    const Fd file(::open(outside_.c_str(), O_RDONLY | O_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(in_fence({}, [&] { return static_cast<int>(::read(file.get(), &byte, 1)); }), 0);
}

TEST_F(Landlock, only_named_ports_are_listened_at) {
    if (landlock_version() < k_version_with_ports) GTEST_SKIP() << "no rules for ports";
    const auto listened = [](std::uint16_t port) {
        const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        return listening_at(socket, port);
    };
    const LandlockRules any{.listen_ports = {0}};
    EXPECT_EQ(in_fence(any, [&] { return listened(0); }), 0);
    EXPECT_EQ(in_fence(any, [&] { return listened(45'999); }), EACCES);
    EXPECT_EQ(in_fence({}, [&] { return listened(0); }), EACCES);
}

TEST_F(Landlock, only_named_ports_are_connected_to) {
    if (landlock_version() < k_version_with_ports) GTEST_SKIP() << "no rules for ports";
    const Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(listening_at(server, 0), 0);
    const auto port = port_of(server);
    const LandlockRules this_one{.connect_ports = std::vector{port}};
    const auto connect = [port] { return connected_to(port); };
    EXPECT_EQ(in_fence(this_one, connect), 0);
    EXPECT_EQ(in_fence({}, connect), 0) << "no rule about connecting at all";
    LandlockRules none;
    none.connect_ports.emplace();
    EXPECT_EQ(in_fence(none, connect), EACCES);
}

TEST_F(Landlock, no_signal_leaves_the_fence) {
    if (landlock_version() < k_version_with_scopes) GTEST_SKIP() << "no rules for signals";
    const auto signalled = [] { return ::kill(::getppid(), 0) == 0 ? 0 : errno; };
    EXPECT_EQ(in_fence({}, signalled), EPERM);
}

}  // namespace
}  // namespace postern::os
