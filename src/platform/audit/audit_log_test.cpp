#include "platform/audit/audit_log.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/manual_clock_test.h"
#include "platform/audit/audit_error.h"
#include "platform/audit/audit_lab_test.h"
#include "platform/audit/audit_store.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

using store::Clear;
using store::SqlText;
using store::Transaction;

using AuditLogTest = test::AuditLab;

TEST_F(AuditLogTest, what_is_recorded_is_listed_newest_first_and_is_whole) {
    write_some(3);
    const auto all = list();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].number, 3);
    EXPECT_EQ(all[2].number, 1);
    EXPECT_EQ(all[0].action, "token.created");
    EXPECT_EQ(all[0].facts, R"({"by":"token","by_id":"tok_1","role":"owner"})");
    EXPECT_EQ(all[0].from, "192.0.2.7");
    EXPECT_EQ(all[0].at_ms, clock.now);
    EXPECT_EQ(list(3, 1).front().number, 2);
    const auto whole = verify();
    EXPECT_EQ(whole.records, 3);
    EXPECT_FALSE(whole.broken_at);
    EXPECT_EQ(whole.head.size(), 32U);
    EXPECT_EQ(verify(other).records, 0);
}

TEST_F(AuditLogTest, record_and_change_are_stored_together_or_not_at_all) {
    EXPECT_FALSE(
        record([](Transaction&) -> Result<> { return fail(AuditError::no_segment); }, {workspace}));
    EXPECT_EQ(verify().records, 0) << "a change that is refused leaves no record";
    const auto change = [this](Transaction& tx) {
        return store::done(
            tx.execute(SqlText("INSERT INTO meta (workspace_id, name, value) VALUES ($1, $2, $3)"),
                       {workspace, Clear::text("x"), Clear::bytes(as_bytes("y"))}));
    };
    const auto changes = [this] {
        return database
            ->read_now([](Transaction& tx) -> Result<std::size_t> {
                POSTERN_TRY(const auto rows, tx.query(SqlText("SELECT name FROM meta "
                                                              "WHERE name = 'x'")));
                return rows.size();
            })
            .value();
    };
    restart();
    keeper.lose();
    EXPECT_FALSE(record(change, {workspace}));
    EXPECT_EQ(changes(), 0U) << "no record, no change";
    keeper.restart();
    ASSERT_TRUE(record(change, {workspace}));
    EXPECT_EQ(changes(), 1U);
    EXPECT_EQ(verify().records, 1);
}

TEST_F(AuditLogTest, each_workspace_has_a_chain_of_its_own) {
    const auto nothing = [](Transaction&) { return Result<>{}; };
    ASSERT_TRUE(record(nothing, {workspace, other}));
    ASSERT_TRUE(record(nothing, {other}));
    EXPECT_EQ(verify().records, 1);
    EXPECT_EQ(verify(other).records, 2);
    EXPECT_EQ(loop.run(log->chains()).value(), (std::vector<WorkspaceId>{workspace, other}));
}

TEST_F(AuditLogTest, chain_goes_on_after_a_restart_and_into_new_segments) {
    write_some(2);
    restart();
    write_some(2);
    EXPECT_EQ(keeper.segments, 2);
    EXPECT_EQ(verify().records, 4);
    EXPECT_FALSE(verify().broken_at);
}

TEST_F(AuditLogTest, whatever_is_changed_is_found) {
    write_some(5);
    tamper(SqlText("UPDATE audit_records SET action = 'token.deleted' WHERE number = 3"));
    expect_broken_at(3, "it was changed");
    tamper(SqlText("UPDATE audit_records SET action = 'token.created' WHERE number = 3"));
    EXPECT_FALSE(verify().broken_at);
    for (const SqlText change :
         {SqlText("UPDATE audit_records SET at_ms = at_ms + 1 WHERE number = 2"),
          SqlText("UPDATE audit_records SET facts = '{}' WHERE number = 2"),
          SqlText("UPDATE audit_records SET details = NULL WHERE number = 2"),
          SqlText("UPDATE audit_records SET seal_row = mac WHERE number = 2"),
          SqlText("UPDATE audit_records SET segment = mac WHERE number = 2"),
          SqlText("UPDATE audit_records SET step = step + 1 WHERE number = 2"),
          SqlText("UPDATE audit_records SET step = -1 WHERE number = 2"),
          SqlText("UPDATE audit_records SET mac = seal_row WHERE number = 2")}) {
        tamper(SqlText("DELETE FROM audit_records"));
        restart();
        write_some(3);
        tamper(change);
        expect_broken_at(2, "it was changed");
    }
}

TEST_F(AuditLogTest, records_that_are_gone_moved_or_swapped_are_found) {
    write_some(5);
    tamper(SqlText("DELETE FROM audit_records WHERE number = 1"));
    expect_broken_at(1, "it is missing");
    tamper(SqlText("DELETE FROM audit_records"));
    restart();
    write_some(5);
    tamper(SqlText("DELETE FROM audit_records WHERE number = 3"));
    expect_broken_at(3, "it is missing");
    tamper(SqlText("UPDATE audit_records SET number = number - 1 WHERE number = 4"));
    tamper(SqlText("UPDATE audit_records SET number = number - 1 WHERE number = 5"));
    expect_broken_at(3, "it was changed");
    tamper(SqlText("DELETE FROM audit_records"));
    restart();
    write_some(2);
    tamper(SqlText("UPDATE audit_records SET workspace_id = $1"), {other});
    EXPECT_EQ(verify(other).broken_at, 1) << "another workspace's";
}

TEST_F(AuditLogTest, store_that_goes_back_under_the_running_server_is_found_at_the_next_change) {
    write_some(4);
    tamper(SqlText("DELETE FROM audit_records WHERE number > 2"));
    const auto refused = record();
    EXPECT_TRUE(!refused && refused.error().is(AuditError::rolled_back));
    EXPECT_EQ(list().size(), 2U);
    tamper(SqlText("DELETE FROM audit_records"));
    EXPECT_FALSE(record());
}

TEST_F(AuditLogTest, listing_goes_on_where_details_do_not_open) {
    write_some(2);
    tamper(SqlText("UPDATE audit_records SET details = mac WHERE number = 1"));
    const auto all = list();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].from, "192.0.2.7");
    EXPECT_EQ(all[1].from, "");
}

TEST_F(AuditLogTest, trial_sees_every_change_and_stores_nothing) {
    const auto trial = loop.run(log->try_changes()).value();
    EXPECT_TRUE(trial.is_whole);
    EXPECT_EQ(trial.seen.size(), 8U);
    EXPECT_EQ(trial.unseen, std::vector<std::string>{});
    EXPECT_EQ(verify(k_installation).records, 0);
    keeper.believes_everything = true;
    const auto blind = loop.run(log->try_changes()).value();
    EXPECT_TRUE(blind.is_whole);
    EXPECT_EQ(blind.unseen.size(), 7U) << "a gap is seen without keeper";
}

TEST_F(AuditLogTest, changes_that_wait_together_are_chained_in_their_order) {
    std::vector<std::optional<Result<>>> outcomes(20);
    for (auto& outcome : outcomes) {
        Act act{{}, "session.refused", {}};
        const auto nothing = [](Transaction&) { return Result<>{}; };
        loop.start(log->record(workspace, std::move(act), nothing), outcome);
    }
    loop.run_until([&] {
        return std::ranges::all_of(outcomes, [](const auto& one) { return one.has_value(); });
    });
    for (const auto& outcome : outcomes)
        EXPECT_TRUE(outcome->has_value());
    EXPECT_EQ(verify().records, 20);
    EXPECT_FALSE(verify().broken_at);
}

}  // namespace
}  // namespace postern::audit
