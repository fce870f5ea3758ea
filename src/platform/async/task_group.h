#pragma once

#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string_view>

namespace postern::async {

/// Owns running coroutines: every spawn of the program belongs to one, is cancelled with it and
/// joined at shutdown. An exception that leaves a job is logged and ends that job only.
///
/// Executor: all calls from the executor's own thread.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::any_io_executor executor);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// `name` is a literal, for the log. Ignored once cancel() was called.
    void spawn(std::string_view name, Job job);
    /// Asks every job to stop at its next wait.
    void cancel();
    /// Resumes when no job is left.
    Job join();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace postern::async
