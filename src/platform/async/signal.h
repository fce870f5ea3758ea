#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <memory>

namespace postern::async {

/// Wakes one waiting coroutine: set() is remembered until wait() has seen it, so no wake is lost. A
/// second one that waits meanwhile ends the first wait with `cancelled`: each has one of its own.
/// Executor: all calls from the executor's own thread.
class Signal {
public:
    explicit Signal(const boost::asio::any_io_executor& executor);
    ~Signal();

    void set();
    /// Errors: deadline_passed, cancelled.
    Task<> wait(Deadline deadline);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace postern::async
