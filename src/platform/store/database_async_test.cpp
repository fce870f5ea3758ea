#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace postern::store {
namespace {

using Number = Result<std::int64_t>;

Number count(Transaction& transaction) {
    POSTERN_TRY(const auto row, transaction.query_one(k_count_notes));
    return row->integer(0);
}

/// Jobs on one thread beside the database's own; a slow write can be held in its middle.
class DatabaseAsync : public testing::Test {
protected:
    void open(std::size_t readers, std::size_t queue_max = 1000) {
        auto options = options_for(folder_);
        options.readers = readers;
        options.queue_max = queue_max;
        database_ = open_or_fail(options);
    }

    async::Job add_one(std::int64_t number, Number* out) {
        auto body = [number](Transaction& t) { return add_note(t, number); };
        *out = co_await database_->write(std::move(body));
    }
    /// Has written and not yet returned when `inside_` is set, until `go_on_` is.
    async::Job add_slowly() {
        auto body = [this](Transaction& t) -> Number {
            auto added = add_note(t, 1000);
            inside_.set_value();
            go_on_.get_future().wait();
            return added;
        };
        slow_ = co_await database_->write(std::move(body));
    }
    async::Job read_during_the_slow_one() {
        inside_.get_future().wait();
        const auto first = co_await database_->read(&count);
        const auto second = co_await database_->read(&count);
        during_ = first && second ? Number(*first + *second) : first;
        go_on_.set_value();
    }
    /// Queues one write per outcome, two for each number, while the slow one is under way.
    async::Job add_pairs() {
        inside_.get_future().wait();
        for (std::size_t i = 0; i < outcomes_.size(); ++i) {
            group_.spawn("add", add_one(static_cast<std::int64_t>(i / 2), &outcomes_[i]));
        }
        go_on_.set_value();
        co_return;
    }
    async::Job add_one_by_one() {
        inside_.get_future().wait();
        for (std::size_t i = 0; i < outcomes_.size(); ++i) {
            group_.spawn("add", add_one(static_cast<std::int64_t>(i), &outcomes_[i]));
            co_await boost::asio::post(context_, boost::asio::use_awaitable);
        }
        co_await boost::asio::post(context_, boost::asio::use_awaitable);
        go_on_.set_value();
    }
    async::Job add_what_cannot_be_copied(Number* out) {
        auto number = std::make_unique<std::int64_t>(7);
        auto body = [number = std::move(number)](Transaction& t) { return add_note(t, *number); };
        *out = co_await database_->write(std::move(body));
    }
    async::Job read_and_purge(Number* out, Result<>* purged) {
        *out = co_await database_->read(&count);
        *purged = co_await database_->checkpoint_truncate();
    }

    TestFolder folder_;
    boost::asio::io_context context_;  // outlives the database's threads
    async::TaskGroup group_{context_.get_executor()};
    std::promise<void> inside_;
    std::promise<void> go_on_;
    Number slow_;
    Number during_ = fail(StoreError::busy);
    std::vector<Number> outcomes_;
    std::unique_ptr<Database> database_;
};

TEST_F(DatabaseAsync, answers_reads_from_the_snapshot_when_a_write_is_under_way) {
    open(2);
    group_.spawn("write", add_slowly());
    group_.spawn("read", read_during_the_slow_one());
    context_.run();
    EXPECT_EQ(during_.value_or(-1), 0);
    EXPECT_EQ(slow_.value_or(-1), 1);
    EXPECT_EQ(count_notes(*database_), 1);
}

TEST_F(DatabaseAsync, keeps_the_good_ones_when_writes_that_wait_together_differ) {
    open(2);
    outcomes_.resize(20);
    group_.spawn("slow", add_slowly());
    group_.spawn("pairs", add_pairs());
    context_.run();
    EXPECT_TRUE(slow_);
    for (std::size_t i = 0; i < outcomes_.size(); i += 2) {
        EXPECT_NE(outcomes_[i].has_value(), outcomes_[i + 1].has_value()) << i;
    }
    EXPECT_EQ(count_notes(*database_), 11);
}

TEST_F(DatabaseAsync, refuses_a_write_when_too_many_wait) {
    open(2, 3);
    outcomes_.resize(5);
    group_.spawn("slow", add_slowly());
    group_.spawn("rest", add_one_by_one());
    context_.run();
    EXPECT_TRUE(slow_);
    std::size_t refused = 0;
    for (const auto& outcome : outcomes_) {
        if (fails_with(outcome, StoreError::busy)) ++refused;
    }
    // The one under way holds a place, too; what was refused was not written all the same.
    EXPECT_EQ(refused, 3U);
    EXPECT_EQ(count_notes(*database_), 3);
}

TEST_F(DatabaseAsync, takes_a_body_when_it_owns_what_cannot_be_copied) {
    open(1);
    Number outcome;
    group_.spawn("write", add_what_cannot_be_copied(&outcome));
    context_.run();
    EXPECT_EQ(outcome.value_or(-1), 1);
}

TEST_F(DatabaseAsync, purges_on_the_writers_thread_when_there_is_one) {
    open(1);
    Number found;
    Result<> purged = fail(StoreError::busy);
    group_.spawn("purge", read_and_purge(&found, &purged));
    context_.run();
    EXPECT_EQ(found.value_or(-1), 0);
    EXPECT_TRUE(purged);
}

TEST_F(DatabaseAsync, works_on_the_callers_thread_when_there_are_no_readers) {
    open(0);
    Number added;
    Number found;
    Result<> purged = fail(StoreError::busy);
    group_.spawn("write", add_one(1, &added));
    group_.spawn("purge", read_and_purge(&found, &purged));
    context_.run();
    EXPECT_EQ(added.value_or(-1), 1);
    EXPECT_EQ(found.value_or(-1), 1);
    EXPECT_TRUE(purged);
}

}  // namespace
}  // namespace postern::store
