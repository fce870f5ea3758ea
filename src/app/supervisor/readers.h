#pragma once

#include "app/supervisor/child_process.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"

#include <sys/types.h>
#include <memory>
#include <set>
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
    void kill_all();
    /// Those that run at the moment.
    [[nodiscard]] std::vector<pid_t> pids() const;

private:
    async::Job watch(std::shared_ptr<ChildProcess> child);

    boost::asio::any_io_executor executor_;
    ChildSettings settings_;
    std::set<std::shared_ptr<ChildProcess>> alive_;
    async::Signal ended_;
    async::TaskGroup tasks_;
};

}  // namespace postern::app::supervisor
