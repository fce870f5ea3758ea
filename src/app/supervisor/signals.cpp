#include "app/supervisor/signals.h"

#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>
#include <memory>
#include <utility>

namespace postern::app::supervisor {

Signals::Signals(const boost::asio::any_io_executor& executor, os::Fd file)
    : file_(std::move(file)), readable_(executor, file_.get()) {}

Result<std::unique_ptr<Signals>> Signals::block(const boost::asio::any_io_executor& executor) {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&wanted, number);
    if (::pthread_sigmask(SIG_BLOCK, &wanted, nullptr) != 0)
        return fail(os::errno_error("signals"));
    os::Fd file(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!file.valid()) return fail(os::errno_error("signalfd"));
    return std::unique_ptr<Signals>(new Signals(executor, std::move(file)));
}

async::Task<int> Signals::wait() {
    while (true) {
        struct signalfd_siginfo info{};
        if (::read(file_.get(), &info, sizeof info) == sizeof info) {
            co_return static_cast<int>(info.ssi_signo);
        }
        auto readable = co_await readable_.wait();
        if (!readable) co_return fail(std::move(readable.error()));
    }
}

}  // namespace postern::app::supervisor
