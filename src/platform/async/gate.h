#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <string>

namespace postern::async {

/// Bounds how many pieces of work are under way at once, in all and for one key. Who has to wait is
/// let in in the order of coming; a key that is full holds up no other.
///
/// Executor: all calls from the executor's own thread.
class Gate {
    struct State;

public:
    struct Limits {
        std::size_t in_all = 1;
        std::size_t of_one_key = 1;
        std::size_t waiting = 0;
    };

    /// Whoever holds it is inside; goes out with it, also when the gate is gone before.
    class Pass {
    public:
        Pass() = default;
        ~Pass();
        Pass(Pass&& other) noexcept;
        Pass& operator=(Pass&& other) noexcept;

    private:
        friend class Gate;
        Pass(std::shared_ptr<State> state, std::string key);

        std::shared_ptr<State> state_;
        std::string key_;
    };
    enum class Turn { last, first };

    Gate(boost::asio::any_io_executor executor, Limits limits);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// `first` goes before those who wait. Errors: busy (too many wait), deadline_passed,
    /// cancelled.
    Task<Pass> enter(std::string key, Turn turn, Deadline deadline);

    [[nodiscard]] std::size_t inside() const noexcept;
    [[nodiscard]] std::size_t waiting() const noexcept;

private:
    class Place;

    std::shared_ptr<State> state_;
};

}  // namespace postern::async
