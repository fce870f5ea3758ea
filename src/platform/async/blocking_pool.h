#pragma once

#include "foundation/base/check.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

namespace postern::async {

/// A fixed number of threads for work that blocks (SQLite, Argon2, name resolution), with a bounded
/// queue in front: a full one answers AsyncError::busy instead of growing.
class BlockingPool {
public:
    struct Options {
        std::size_t threads = 1;
        std::size_t queue_max = 1000;
    };
    explicit BlockingPool(Options options);
    /// Finishes what is queued.
    ~BlockingPool();
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    /// Runs `work` (returning Result<T>) on a thread of the pool and resumes on the caller's
    /// executor. A cancelled caller resumes at once; what began is finished and its result dropped,
    /// so `work` owns what it uses.
    template <typename F, typename R = std::invoke_result_t<F>>
    boost::asio::awaitable<R> run(F work) {
        struct Call {
            Call(const boost::asio::any_io_executor& executor, F function)
                : done(executor), job(std::move(function)) {}
            Signal done;
            F job;
            std::optional<R> outcome;
        };
        const auto executor = co_await boost::asio::this_coro::executor;
        const auto call = std::make_shared<Call>(executor, std::move(work));
        // The thread gives its hold on the call away: timers in it belong to the caller's loop.
        std::function<void()> job = [held = call, executor]() mutable {
            held->outcome.emplace(held->job());
            boost::asio::post(executor, [done = std::move(held)] { done->done.set(); });
        };
        if (!submit(std::move(job))) co_return fail(AsyncError::busy);
        auto waited = co_await call->done.wait(Deadline::in(std::chrono::hours(24)));
        if (!waited) co_return fail(std::move(waited.error()));
        auto& outcome = call->outcome;
        POSTERN_CHECK(outcome.has_value());
        co_return std::move(*outcome);
    }

private:
    /// False when the queue is full.
    bool submit(std::function<void()> job);
    void work();

    const std::size_t queue_max_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace postern::async
