#pragma once

#include "app/control/control_protocol.h"
#include "app/supervisor/roles.h"
#include "foundation/base/clock.h"
#include "platform/async/loop.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"

#include <sys/types.h>
#include <memory>
#include <optional>
#include <string>

namespace postern::app::supervisor {

/// What a child process is started with, besides what control::Start tells it.
struct ChildSettings {
    Role role = Role::front;
    int program = -1;
    int directory = -1;
    std::string instance;         ///< the data directory, for the process list
    bool only_log_calls = false;  ///< a reader's fence, which has no other way to know
};

/// One process of ours. It dies with this object, is reaped by ended(), and closes with us.
class ChildProcess {
public:
    /// `socket` becomes its descriptor 3. Errors: OsError.
    [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(
        const boost::asio::any_io_executor& executor, const ChildSettings& settings, os::Fd socket);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Resumes when the process ended, with its wait status; once. Errors: cancelled.
    async::Task<int> ended();
    void kill();
    /// Its end by a signal is ours.
    [[nodiscard]] bool was_killed() const noexcept { return killed_; }
    [[nodiscard]] bool running() const noexcept { return !reaped_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    ChildProcess(const boost::asio::any_io_executor& executor, pid_t pid, os::Fd handle);

    pid_t pid_;
    os::Fd handle_;
    async::Readable exit_;
    bool reaped_ = false;
    bool killed_ = false;
};

/// For one that ended by SIGSYS: its fence ended it at a system call that it has no use for. The
/// kernel's audit log has the number of the call.
void log_violation(const char* role);

}  // namespace postern::app::supervisor
