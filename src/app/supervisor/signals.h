#pragma once

#include "foundation/base/result.h"
#include "platform/async/loop.h"
#include "platform/os/fd.h"

#include <memory>

namespace postern::app::supervisor {

/// SIGTERM, SIGINT and SIGHUP as events of the loop. They stay blocked afterwards; children set
/// their own mask.
class Signals {
public:
    /// Errors: OsError.
    [[nodiscard]] static Result<std::unique_ptr<Signals>> block(
        const boost::asio::any_io_executor& executor);

    /// Its number. Errors: cancelled.
    async::Task<int> wait();

private:
    Signals(const boost::asio::any_io_executor& executor, os::Fd file);

    os::Fd file_;
    async::Readable readable_;
};

}  // namespace postern::app::supervisor
