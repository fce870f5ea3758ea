#pragma once

#include "app/control/control_protocol.h"
#include "app/supervisor/child_process.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"
#include "platform/ipc/rpc.h"

#include <sys/types.h>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::app::supervisor {

/// Readers alive at one time; each may use 1 GiB.
inline constexpr std::size_t k_readers_max = 4;

/// Readers are started for front, one per batch, and end when front closes the connection.
class Readers {
public:
    Readers(const boost::asio::any_io_executor& executor,
            int program,
            std::string instance,
            bool only_log_calls);

    /// Waits a while for one to end when there are too many.
    /// Errors: too_many_readers, no_reader.
    async::Task<control::StartReader::Answer> start();
    /// Nothing waits for it any more: it has a moment to end by itself.
    async::Task<ipc::Nothing> end(std::uint64_t number);
    /// The same of all of them: front is gone.
    void end_all();
    void kill_all();
    /// Those that run at the moment.
    [[nodiscard]] std::vector<pid_t> pids() const;

private:
    async::Job watch(std::uint64_t number, std::shared_ptr<ChildProcess> child);
    async::Job kill_later(std::uint64_t number);

    boost::asio::any_io_executor executor_;
    ChildSettings settings_;
    std::map<std::uint64_t, std::shared_ptr<ChildProcess>> alive_;
    std::uint64_t started_ = 0;
    /// Of those that wait until one has ended, each its own: a signal wakes one.
    std::list<std::shared_ptr<async::Signal>> waiting_;
    async::TaskGroup tasks_;
};

}  // namespace postern::app::supervisor
