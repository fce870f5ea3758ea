#pragma once

#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <memory>

namespace postern::async {

/// A process's one event loop. run() is called once, by the thread that everything then runs on.
class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] boost::asio::any_io_executor executor() const;
    /// Until stop() was called or nothing is left to do.
    void run();
    /// What waits at that moment is never resumed.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Waits until a descriptor of the caller's (a listening socket, a signalfd, a pidfd) has something
/// to read. Lifetime: the descriptor stays open, and out of other waits, while this lives.
class Readable {
public:
    Readable(const boost::asio::any_io_executor& executor, int descriptor);
    ~Readable();
    Readable(const Readable&) = delete;
    Readable& operator=(const Readable&) = delete;

    /// Errors: cancelled.
    Task<> wait();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace postern::async
