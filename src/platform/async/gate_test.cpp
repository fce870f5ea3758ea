#include "platform/async/gate.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::async {
namespace {

using namespace std::chrono_literals;

class GateTest : public ::testing::Test {
protected:
    using Outcome = std::shared_ptr<std::optional<Result<Gate::Pass>>>;

    Outcome enter(Gate& gate,
                  std::string key,
                  Gate::Turn turn = Gate::Turn::last,
                  Deadline deadline = Deadline::in(20s)) {
        auto outcome = std::make_shared<std::optional<Result<Gate::Pass>>>();
        auto entering = gate.enter(std::move(key), turn, deadline);
        group_.spawn("enter", keep(std::move(entering), outcome));
        settle();
        return outcome;
    }
    void settle() {
        io_.restart();
        io_.poll();
    }
    void run_until_answered(const Outcome& outcome) {
        while (!outcome->has_value()) {
            io_.restart();
            ASSERT_GT(io_.run_one(), 0U);
        }
    }
    static Result<Gate::Pass>* answer_of(const Outcome& outcome) {
        auto& kept = *outcome;
        return kept ? &*kept : nullptr;
    }
    static bool inside(const Outcome& outcome) {
        const auto* answer = answer_of(outcome);
        return answer != nullptr && answer->has_value();
    }
    static bool fails_with(const Outcome& outcome, AsyncError error) {
        const auto* answer = answer_of(outcome);
        return answer != nullptr && !*answer && answer->error().is(error);
    }
    /// Within the loop, as all calls of a TaskGroup.
    void cancel_after(std::function<void()> what) {
        boost::asio::post(io_, [this, what = std::move(what)] {
            what();
            group_.cancel();
        });
        settle();
    }
    void leave(const Outcome& outcome) {
        outcome->reset();
        settle();
    }

    boost::asio::io_context io_{1};
    TaskGroup group_{io_.get_executor()};

private:
    static Job keep(Task<Gate::Pass> entering, Outcome outcome) {
        auto entered = co_await std::move(entering);
        outcome->emplace(std::move(entered));
    }
};

TEST_F(GateTest, lets_in_as_many_of_one_key_as_it_may_and_the_others_in_their_order) {
    Gate gate(io_.get_executor(), {.in_all = 10, .of_one_key = 2, .waiting = 10});
    const auto a = enter(gate, "host");
    const auto b = enter(gate, "host");
    const auto c = enter(gate, "host");
    const auto d = enter(gate, "host");
    EXPECT_TRUE(inside(a) && inside(b));
    EXPECT_FALSE(c->has_value() || d->has_value());
    EXPECT_EQ(gate.inside(), 2U);
    EXPECT_EQ(gate.waiting(), 2U);
    leave(b);
    EXPECT_TRUE(inside(c));
    EXPECT_FALSE(d->has_value());
    leave(a);
    EXPECT_TRUE(inside(d));
    EXPECT_EQ(gate.waiting(), 0U);
}

TEST_F(GateTest, full_key_holds_up_no_other) {
    Gate gate(io_.get_executor(), {.in_all = 3, .of_one_key = 1, .waiting = 10});
    const auto dead = enter(gate, "dead");
    const auto behind = enter(gate, "dead");
    const auto other = enter(gate, "other");
    EXPECT_TRUE(inside(dead) && inside(other));
    EXPECT_FALSE(behind->has_value());
}

TEST_F(GateTest, bound_in_all_holds_over_every_key) {
    Gate gate(io_.get_executor(), {.in_all = 2, .of_one_key = 2, .waiting = 10});
    const auto a = enter(gate, "a");
    const auto b = enter(gate, "b");
    const auto c = enter(gate, "c");
    EXPECT_TRUE(inside(a) && inside(b));
    EXPECT_FALSE(c->has_value());
    leave(a);
    EXPECT_TRUE(inside(c));
    EXPECT_EQ(gate.inside(), 2U);
}

TEST_F(GateTest, whose_turn_is_first_goes_before_those_who_wait) {
    Gate gate(io_.get_executor(), {.in_all = 1, .of_one_key = 1, .waiting = 10});
    const auto a = enter(gate, "host");
    const auto usual = enter(gate, "host");
    const auto urgent = enter(gate, "host", Gate::Turn::first);
    leave(a);
    EXPECT_TRUE(inside(urgent));
    EXPECT_FALSE(usual->has_value());
}

TEST_F(GateTest, too_many_who_wait_are_refused_at_once) {
    Gate gate(io_.get_executor(), {.in_all = 1, .of_one_key = 1, .waiting = 1});
    const auto a = enter(gate, "host");
    const auto waits = enter(gate, "host");
    const auto refused = enter(gate, "host");
    EXPECT_TRUE(fails_with(refused, AsyncError::busy));
    EXPECT_EQ(gate.waiting(), 1U);
}

TEST_F(GateTest, who_gives_up_leaves_no_place_behind) {
    Gate gate(io_.get_executor(), {.in_all = 1, .of_one_key = 1, .waiting = 10});
    const auto a = enter(gate, "host");
    const auto late = enter(gate, "host", Gate::Turn::last, Deadline::in(1ms));
    const auto next = enter(gate, "host");
    run_until_answered(late);
    EXPECT_TRUE(fails_with(late, AsyncError::deadline_passed));
    EXPECT_EQ(gate.waiting(), 1U);
    leave(a);
    EXPECT_TRUE(inside(next));
}

TEST_F(GateTest, cancelled_ones_go_and_the_count_is_right_afterwards) {
    Gate gate(io_.get_executor(), {.in_all = 1, .of_one_key = 1, .waiting = 10});
    const auto a = enter(gate, "host");
    const auto waits = enter(gate, "host");
    cancel_after([] {});
    EXPECT_TRUE(fails_with(waits, AsyncError::cancelled));
    EXPECT_EQ(gate.waiting(), 0U);
    leave(a);
    EXPECT_EQ(gate.inside(), 0U);
}

TEST_F(GateTest, one_whose_turn_came_as_it_was_cancelled_gives_it_back) {
    Gate gate(io_.get_executor(), {.in_all = 1, .of_one_key = 1, .waiting = 10});
    const auto a = enter(gate, "host");
    const auto waits = enter(gate, "host");
    cancel_after([a] { a->reset(); });
    waits->reset();
    EXPECT_EQ(gate.inside(), 0U);
}

TEST_F(GateTest, pass_outlives_its_gate_and_moves) {
    auto gate = std::make_unique<Gate>(io_.get_executor(),
                                       Gate::Limits{.in_all = 1, .of_one_key = 1, .waiting = 0});
    const auto a = enter(*gate, "host");
    auto* answer = answer_of(a);
    ASSERT_TRUE(answer != nullptr && answer->has_value());
    Gate::Pass moved = std::move(answer->value());
    a->reset();
    EXPECT_EQ(gate->inside(), 1U);
    Gate::Pass over = std::move(moved);
    moved = Gate::Pass();
    EXPECT_EQ(gate->inside(), 1U);
    gate.reset();
    over = Gate::Pass();
}

}  // namespace
}  // namespace postern::async
