#include "platform/store/write_queue.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/run_transaction.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {
namespace {

/// Writes down what it is asked for and fails where told to.
class ScriptedConnection final : public Connection {
public:
    struct Script {
        std::string log;
        std::string fail_at;  ///< the step that fails with disk_full
        bool lose_transaction = false;
    };
    explicit ScriptedConnection(Script& script) : script_(script) {}

    Result<> begin(Access) override {
        running_ = true;
        return step("begin ");
    }
    Result<> commit() override {
        running_ = false;
        return step("commit ");
    }
    void rollback() noexcept override {
        running_ = false;
        script_.log += "rollback ";
    }
    bool in_transaction() const noexcept override { return running_; }
    Result<> begin_part() override { return step("("); }
    Result<> keep_part() override { return step(") "); }
    Result<> undo_part() override { return step("undo) "); }
    Result<std::int64_t> execute(SqlText sql, std::span<const Value>) override {
        if (auto done = step(std::string(sql.view())); !done) return fail(done.error());
        return 1;
    }
    Result<std::vector<std::vector<Cell>>> query(SqlText, std::span<const Value>) override {
        return std::vector<std::vector<Cell>>();
    }
    Result<> run_migration(std::string_view) override { return {}; }
    Result<> purge(Purge, Deadline) override { return {}; }
    Result<> check_integrity() override { return {}; }

private:
    Result<> step(const std::string& name) {
        script_.log += name;
        if (name != script_.fail_at) return {};
        if (script_.lose_transaction) running_ = false;
        return fail(StoreError::disk_full);
    }

    Script& script_;
    bool running_ = false;
};

TransactionBody body_a() {
    return [](Transaction& t) -> Result<> {
        auto done = t.execute("a");
        return done ? Result<>{} : fail(done.error());
    };
}
TransactionBody body_b() {
    return [](Transaction& t) -> Result<> {
        auto done = t.execute("b");
        return done ? Result<>{} : fail(done.error());
    };
}
TransactionBody refusing() {
    return [](Transaction&) -> Result<> { return fail(StoreError::conflict); };
}

class WriteQueueTest : public testing::Test {
protected:
    ScriptedConnection::Script script_;
    WriteQueue queue_{std::make_unique<ScriptedConnection>(script_)};
};

TEST_F(WriteQueueTest, commits_alone_when_one_waits) {
    const auto ticket = queue_.enter(body_a());
    EXPECT_TRUE(queue_.serve(*ticket));
    EXPECT_EQ(script_.log, "begin acommit ");
}

TEST_F(WriteQueueTest, commits_once_when_several_wait) {
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(body_b());
    EXPECT_TRUE(queue_.serve(*second));
    EXPECT_TRUE(queue_.serve(*first));
    EXPECT_EQ(script_.log, "begin (a) (b) commit ");
}

TEST_F(WriteQueueTest, takes_back_one_part_when_its_body_refuses) {
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(refusing());
    const auto third = queue_.enter(body_b());
    EXPECT_TRUE(queue_.serve(*first));
    EXPECT_TRUE(fails_with(queue_.serve(*second), StoreError::conflict));
    EXPECT_TRUE(queue_.serve(*third));
    EXPECT_EQ(script_.log, "begin (a) (undo) (b) commit ");
}

TEST_F(WriteQueueTest, answers_no_part_with_success_when_the_commit_fails) {
    script_.fail_at = "commit ";
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(refusing());
    const auto third = queue_.enter(body_b());
    EXPECT_TRUE(fails_with(queue_.serve(*first), StoreError::disk_full));
    EXPECT_TRUE(fails_with(queue_.serve(*second), StoreError::conflict));
    EXPECT_TRUE(fails_with(queue_.serve(*third), StoreError::disk_full));
}

TEST_F(WriteQueueTest, answers_every_part_with_the_loss_when_the_engine_gives_up) {
    script_.fail_at = "b";
    script_.lose_transaction = true;
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(body_b());
    const auto third = queue_.enter(body_a());
    EXPECT_TRUE(fails_with(queue_.serve(*first), StoreError::disk_full));
    EXPECT_TRUE(fails_with(queue_.serve(*second), StoreError::disk_full));
    EXPECT_TRUE(fails_with(queue_.serve(*third), StoreError::disk_full));
    EXPECT_EQ(script_.log, "begin (a) (b");
}

TEST_F(WriteQueueTest, gives_all_up_when_a_part_cannot_be_taken_back) {
    script_.fail_at = "undo) ";
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(refusing());
    EXPECT_FALSE(queue_.serve(*first));
    EXPECT_TRUE(fails_with(queue_.serve(*second), StoreError::conflict));
    EXPECT_EQ(script_.log, "begin (a) (undo) rollback ");
}

TEST_F(WriteQueueTest, fails_all_when_it_cannot_begin) {
    script_.fail_at = "begin ";
    const auto first = queue_.enter(body_a());
    const auto second = queue_.enter(body_b());
    EXPECT_TRUE(fails_with(queue_.serve(*first), StoreError::disk_full));
    EXPECT_TRUE(fails_with(queue_.serve(*second), StoreError::disk_full));
    EXPECT_EQ(script_.log, "begin ");
}

TEST_F(WriteQueueTest, bounds_the_commit_when_many_wait) {
    std::vector<std::shared_ptr<WriteQueue::Ticket>> tickets;
    for (std::size_t i = 0; i < WriteQueue::k_batch_max + 2; ++i) {
        tickets.push_back(queue_.enter(body_a()));
    }
    EXPECT_TRUE(queue_.serve(*tickets.front()));
    EXPECT_TRUE(tickets[WriteQueue::k_batch_max - 1]->done);
    EXPECT_FALSE(tickets[WriteQueue::k_batch_max]->done);
    EXPECT_TRUE(queue_.serve(*tickets.back()));
}

TEST_F(WriteQueueTest, answers_closed_when_closed_with_bodies_waiting) {
    const auto ticket = queue_.enter(body_a());
    queue_.close();
    EXPECT_TRUE(fails_with(queue_.serve(*ticket), StoreError::closed));
    EXPECT_EQ(script_.log, "");
}

}  // namespace
}  // namespace postern::store
