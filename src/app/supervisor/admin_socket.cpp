#include "app/supervisor/admin_socket.h"

#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr int k_backlog = 16;

/// By way of the folder's descriptor: a path in sun_path has 107 bytes at most.
sockaddr_un address_in(int folder, const std::string& name) {
    const auto path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy_n(path.begin(), std::min(path.size(), sizeof address.sun_path - 1), address.sun_path);
    return address;
}

os::Fd open_socket() {
    return os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

bool is_admitted(const os::Fd& connection) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace

AdminSocket::AdminSocket(const boost::asio::any_io_executor& executor,
                         int folder,
                         std::string name,
                         os::Fd socket)
    : folder_(folder),
      name_(std::move(name)),
      socket_(std::move(socket)),
      readable_(executor, socket_.get()) {}

AdminSocket::~AdminSocket() {
    ::unlinkat(folder_, name_.c_str(), 0);
}

Result<std::unique_ptr<AdminSocket>> AdminSocket::listen(
    const boost::asio::any_io_executor& executor, int folder, std::string name) {
    auto socket = open_socket();
    if (!socket.valid()) return fail(os::errno_error(name));
    // Left by one that was killed: we hold the directory's lock.
    ::unlinkat(folder, name.c_str(), 0);
    const auto address = address_in(folder, name);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::fchmodat(folder, name.c_str(), 0600, 0) != 0 || ::listen(socket.get(), k_backlog) != 0) {
        return fail(os::errno_error(name));
    }
    return std::unique_ptr<AdminSocket>(
        new AdminSocket(executor, folder, std::move(name), std::move(socket)));
}

async::Task<os::Fd> AdminSocket::accept() {
    while (true) {
        auto readable = co_await readable_.wait();
        if (!readable) co_return fail(std::move(readable.error()));
        os::Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!connection.valid()) continue;
        if (is_admitted(connection)) co_return connection;
        log(LogLevel::warning, "admin_refused");
    }
}

Result<os::Fd> AdminSocket::connect(const std::string& data_directory, const std::string& name) {
    const auto path = data_directory + "/run";
    const os::Fd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid())
        return errno == ENOENT ? os::Fd() : Result<os::Fd>(fail(os::errno_error(path)));
    auto socket = open_socket();
    const auto address = address_in(folder.get(), name);
    if (socket.valid() &&
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        return socket;
    }
    if (errno == ENOENT || errno == ECONNREFUSED) return os::Fd();
    return fail(os::errno_error(path + "/" + name));
}

}  // namespace postern::app::supervisor
