#include "app/supervisor/child_process.h"

#include "app/control/control_protocol.h"
#include "app/supervisor/roles.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/os/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

namespace postern::app::supervisor {
namespace {

/// Follows one process, however its number is used again.
os::Fd open_handle(pid_t pid) {
    return os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

ChildProcess::ChildProcess(const boost::asio::any_io_executor& executor, pid_t pid, os::Fd handle)
    : pid_(pid), handle_(std::move(handle)), exit_(executor, handle_.get()) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(
    const boost::asio::any_io_executor& executor, const ChildSettings& settings, os::Fd socket) {
    const os::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!nothing.valid()) return fail(os::errno_error("/dev/null"));
    os::ChildPlan plan;
    plan.executable = settings.program;
    plan.arguments = {std::string("postern-") + name_of(settings.role), "--instance",
                      settings.instance};
    if (settings.only_log_calls) plan.arguments.emplace_back(control::k_only_log_calls);
    // Standard output is for the command's answer; children only log.
    plan.descriptors = {{nothing.get(), STDIN_FILENO},
                        {STDERR_FILENO, STDOUT_FILENO},
                        {STDERR_FILENO, STDERR_FILENO},
                        {socket.get(), control::k_control_descriptor}};
    plan.directory = settings.directory;
    plan.uid = uid_of(settings.role);
    POSTERN_TRY(const auto pid, os::start_child(plan));
    auto handle = open_handle(pid);
    if (!handle.valid()) {
        auto error = os::errno_error("pidfd_open");
        ::kill(pid, SIGKILL);
        (void)wait_for(pid);
        return fail(std::move(error));
    }
    // A private constructor rules make_unique out.
    return std::unique_ptr<ChildProcess>(new ChildProcess(executor, pid, std::move(handle)));
}

ChildProcess::~ChildProcess() {
    if (reaped_) return;
    kill();
    (void)wait_for(pid_);
}

async::Task<int> ChildProcess::ended() {
    auto readable = co_await exit_.wait();
    if (!readable) co_return fail(std::move(readable.error()));
    const int status = wait_for(pid_);
    reaped_ = true;
    co_return status;
}

void log_violation(const char* role) {
    log(LogLevel::error, "forbidden_system_call", {LogField::sanitised("role", role)});
}

void ChildProcess::kill() {
    killed_ = true;
    if (!reaped_) ::kill(pid_, SIGKILL);
}

}  // namespace postern::app::supervisor
