#pragma once

#include "foundation/base/result.h"
#include "platform/async/loop.h"
#include "platform/os/fd.h"

#include <memory>
#include <string>

namespace postern::app::supervisor {

/// DIR/run/admin.sock, behind which front is, and DIR/run/keys.sock, behind which keeper is: who
/// may connect (root and our own uid, by the kernel's word) may do what the command line does.
class AdminSocket {
public:
    static constexpr const char* k_front = "admin.sock";
    static constexpr const char* k_keeper = "keys.sock";

    /// In the folder, which may be deeper than a socket's path can be long. Errors: OsError.
    [[nodiscard]] static Result<std::unique_ptr<AdminSocket>> listen(
        const boost::asio::any_io_executor& executor, int folder, std::string name);
    ~AdminSocket();
    AdminSocket(const AdminSocket&) = delete;
    AdminSocket& operator=(const AdminSocket&) = delete;

    /// The next connection of somebody who may. Errors: cancelled.
    async::Task<os::Fd> accept();

    /// A connection to whoever listens there; nothing where nobody does. Errors: OsError.
    [[nodiscard]] static Result<os::Fd> connect(const std::string& data_directory,
                                                const std::string& name);

private:
    AdminSocket(const boost::asio::any_io_executor& executor,
                int folder,
                std::string name,
                os::Fd socket);

    int folder_;
    std::string name_;
    os::Fd socket_;
    async::Readable readable_;
};

}  // namespace postern::app::supervisor
