#include "platform/async/blocking_pool.h"

#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern::async {
namespace {

class BlockingPoolTest : public ::testing::Test {
protected:
    struct Told {
        std::optional<Result<std::string>> answer;
        std::thread::id resumed_on;
    };
    using Outcome = std::shared_ptr<Told>;

    /// Begins a call; its answer comes when the loop runs.
    template <typename F>
    Outcome begin(BlockingPool& pool, F work) {
        auto outcome = std::make_shared<Told>();
        auto running = pool.run(std::move(work));
        group_.spawn("run", keep(std::move(running), outcome));
        settle();
        return outcome;
    }
    void settle() {
        io_.restart();
        io_.poll();
    }
    /// Until every call is answered.
    void finish() {
        io_.restart();
        io_.run();
    }

    boost::asio::io_context io_{1};
    TaskGroup group_{io_.get_executor()};

private:
    static Job keep(Task<std::string> running, Outcome outcome) {
        auto answer = co_await std::move(running);
        outcome->answer.emplace(std::move(answer));
        outcome->resumed_on = std::this_thread::get_id();
    }
};

bool is_text(const std::optional<Result<std::string>>& answer, const std::string& text) {
    return answer && answer->has_value() && **answer == text;
}
bool fails_with(const std::optional<Result<std::string>>& answer, AsyncError error) {
    return answer && !answer->has_value() && answer->error().is(error);
}

TEST_F(BlockingPoolTest, works_on_a_thread_of_its_own_and_answers_on_the_callers) {
    BlockingPool pool({.threads = 1, .queue_max = 10});
    const auto worked_on = std::make_shared<std::thread::id>();
    const auto good = begin(pool, [worked_on]() -> Result<std::string> {
        *worked_on = std::this_thread::get_id();
        return "done";
    });
    const auto bad =
        begin(pool, []() -> Result<std::string> { return fail(AsyncError::deadline_passed, "x"); });
    finish();
    EXPECT_TRUE(is_text(good->answer, "done"));
    EXPECT_EQ(good->resumed_on, std::this_thread::get_id());
    EXPECT_NE(*worked_on, std::this_thread::get_id());
    EXPECT_TRUE(fails_with(bad->answer, AsyncError::deadline_passed));
}

TEST_F(BlockingPoolTest, one_thread_does_one_after_the_other_in_their_order) {
    BlockingPool pool({.threads = 1, .queue_max = 100});
    std::vector<int> order;  // of the one thread
    std::vector<Outcome> all;
    all.reserve(50);
    for (int number = 0; number < 50; ++number) {
        all.push_back(begin(pool, [&order, number]() -> Result<std::string> {
            order.push_back(number);
            return std::to_string(number);
        }));
    }
    finish();
    ASSERT_EQ(order.size(), 50U);
    EXPECT_TRUE(std::ranges::is_sorted(order));
    for (int number = 0; number < 50; ++number)
        EXPECT_TRUE(is_text(all[static_cast<std::size_t>(number)]->answer, std::to_string(number)));
}

TEST_F(BlockingPoolTest, threads_work_at_once_but_no_more_of_them_than_it_has) {
    constexpr int k_threads = 3;
    BlockingPool pool({.threads = k_threads, .queue_max = 1000});
    std::latch all_at_once(k_threads);
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    std::vector<Outcome> all;
    all.reserve(200);
    for (int number = 0; number < 200; ++number) {
        all.push_back(begin(pool, [&, number]() -> Result<std::string> {
            const int now = ++inside;
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            // The first ones end only when as many are there as there are threads.
            if (number < k_threads) all_at_once.arrive_and_wait();
            --inside;
            return std::string(100, 'a') + std::to_string(number);
        }));
    }
    finish();
    EXPECT_EQ(most, k_threads);
    for (std::size_t number = 0; number < all.size(); ++number)
        EXPECT_TRUE(is_text(all[number]->answer, std::string(100, 'a') + std::to_string(number)));
}

/// Keeps the one thread of a pool busy until it is let go.
struct Held {
    std::latch begun{1};
    std::latch go_on{1};

    Result<std::string> operator()() {
        begun.count_down();
        go_on.wait();
        return "held";
    }
};

TEST_F(BlockingPoolTest, full_queue_answers_busy_at_once_and_the_others_stay) {
    BlockingPool pool({.threads = 1, .queue_max = 2});
    Held held;
    const auto quick = []() -> Result<std::string> { return "quick"; };
    const auto first = begin(pool, [&held] { return held(); });
    held.begun.wait();
    const auto second = begin(pool, quick);
    const auto third = begin(pool, quick);
    const auto refused = begin(pool, quick);
    EXPECT_TRUE(fails_with(refused->answer, AsyncError::busy));
    EXPECT_FALSE(first->answer || second->answer || third->answer);
    held.go_on.count_down();
    finish();
    EXPECT_TRUE(is_text(first->answer, "held"));
    EXPECT_TRUE(is_text(second->answer, "quick") && is_text(third->answer, "quick"));
    const auto later = begin(pool, quick);
    finish();
    EXPECT_TRUE(is_text(later->answer, "quick"));
}

TEST_F(BlockingPoolTest, cancelled_caller_resumes_at_once_and_what_began_is_finished) {
    Held held;
    std::atomic<int> finished = 0;
    const auto owned = std::make_shared<int>(7);
    Outcome outcome;
    {
        BlockingPool pool({.threads = 1, .queue_max = 2});
        outcome = begin(pool, [&held, &finished, owned]() -> Result<std::string> {
            auto answer = held();
            ++finished;
            return answer;
        });
        held.begun.wait();
        boost::asio::post(io_, [this] { group_.cancel(); });
        settle();
        EXPECT_TRUE(fails_with(outcome->answer, AsyncError::cancelled));
        EXPECT_EQ(finished, 0);
        held.go_on.count_down();
    }
    EXPECT_EQ(finished, 1);
    settle();
    EXPECT_TRUE(fails_with(outcome->answer, AsyncError::cancelled));
    EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(BlockingPoolTest, pool_that_goes_finishes_what_is_queued) {
    Held held;
    std::vector<Outcome> all;
    std::thread lets_go;
    {
        BlockingPool pool({.threads = 1, .queue_max = 10});
        all.push_back(begin(pool, [&held] { return held(); }));
        held.begun.wait();
        for (int number = 0; number < 5; ++number)
            all.push_back(begin(pool, []() -> Result<std::string> { return "held"; }));
        lets_go = std::thread([&held] { held.go_on.count_down(); });
    }
    lets_go.join();
    settle();
    for (const auto& outcome : all)
        EXPECT_TRUE(is_text(outcome->answer, "held"));
}

}  // namespace
}  // namespace postern::async
