#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/audit_lab_test.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/record.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit::test {
namespace {

class AuditReadingTest : public AuditLab {
protected:
    void act(Act what) {
        clock.now += 1000;
        const auto nothing = [](Transaction&) { return Result<>{}; };
        ASSERT_TRUE(loop.run(log->record(workspace, std::move(what), nothing)));
    }
    Found search(Search asked, std::int64_t limit = 100) {
        return loop.run(log->search(workspace, std::move(asked), limit)).value();
    }
    std::vector<std::int64_t> numbers(Search asked) {
        std::vector<std::int64_t> out;
        for (const auto& record : search(std::move(asked)).records)
            out.push_back(record.number);
        return out;
    }
    template <typename T, typename V>
    static Search with(T Search::* field, V value, Search asked = {}) {
        asked.*field = value;
        return asked;
    }
    bool shorten(UnixMs before_ms) { return loop.run(log->shorten(workspace, before_ms)).value(); }
    void note_lock() {
        const auto note = [](AuditLog* to, WorkspaceId where) -> async::Task<> {
            Act locked{by_host(), "integration.locked", {}};
            co_await to->note(where, std::move(locked));
            co_return Result<>{};
        };
        ASSERT_TRUE(loop.run(note(log.get(), workspace)));
    }
    using Numbers = std::vector<std::int64_t>;
};

TEST_F(AuditReadingTest, records_are_found_by_action_actor_object_and_time) {
    const By olga{By::Kind::person, "per_1", "192.0.2.7"};
    act({olga, "integration.unlocked", {{"integration_id", "int_1"}}});
    act({olga, "integration.locked", {{"integration_id", "int_2"}}});
    act({by_host(), "integration.unlocked", {{"integration_id", "int_2"}, {"state", "per_1"}}});
    act({{}, "session.refused", {}});
    EXPECT_EQ(numbers({}), (Numbers{4, 3, 2, 1}));
    EXPECT_EQ(numbers(with(&Search::action, "integration.unlocked")), (Numbers{3, 1}));
    EXPECT_EQ(numbers(with(&Search::by, "per_1")), (Numbers{2, 1}));
    EXPECT_EQ(numbers(with(&Search::by, "host")), Numbers{3});
    EXPECT_EQ(numbers(with(&Search::by, "nobody")), Numbers{4});
    EXPECT_EQ(numbers(with(&Search::about, "int_2")), (Numbers{3, 2}));
    EXPECT_EQ(numbers(with(&Search::about, "per_1")), Numbers{3}) << "not what they did";
    EXPECT_EQ(numbers(with(&Search::about, "int_")), Numbers{});
    EXPECT_EQ(numbers(with(&Search::by, "host", with(&Search::action, "integration.locked"))),
              Numbers{});
    const auto second = search({}).records[2].at_ms;
    EXPECT_EQ(numbers(with(&Search::since_ms, second)), (Numbers{4, 3, 2}));
    EXPECT_EQ(numbers(with(&Search::until_ms, second)), (Numbers{2, 1}));
    EXPECT_EQ(numbers(with(&Search::until_ms, second, with(&Search::since_ms, second))),
              Numbers{2});
}

TEST_F(AuditReadingTest, place_of_an_actor_is_sealed_once_in_a_while) {
    const By olga{By::Kind::person, "per_1", "192.0.2.7"};
    const By bo{By::Kind::person, "per_2", "192.0.2.7"};
    const By away{By::Kind::person, "per_1", "192.0.2.8"};
    const By stranger{By::Kind::nobody, "", "192.0.2.7"};
    act({olga, "one", {}});
    act({olga, "two", {}});
    EXPECT_EQ(keeper.sealed, 1);
    act({bo, "three", {}});
    act({away, "four", {}});
    EXPECT_EQ(keeper.sealed, 3);
    act({stranger, "five", {}});
    act({stranger, "six", {}});
    EXPECT_EQ(keeper.sealed, 5);
    clock.now += 600'000;
    act({olga, "seven", {}});
    EXPECT_EQ(keeper.sealed, 6);
    clock.now -= 700'000;
    act({olga, "eight", {}});
    EXPECT_EQ(keeper.sealed, 7) << "nor after a clock was set back";
    const auto all = search({}).records;
    ASSERT_EQ(all.size(), 8U);
    for (const auto& record : all)
        EXPECT_EQ(record.from, record.action == "four" ? "192.0.2.8" : "192.0.2.7");
    EXPECT_FALSE(verify().broken_at);
}

TEST_F(AuditReadingTest, pages_go_on_where_they_ended) {
    write_some(5);
    auto page = search({}, 2);
    ASSERT_EQ(page.records.size(), 2U);
    EXPECT_EQ(page.go_on_before, 4);
    page = search(with(&Search::before, page.go_on_before), 2);
    EXPECT_EQ(page.records[0].number, 3);
    page = search(with(&Search::before, page.go_on_before), 2);
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.go_on_before, 0);
    EXPECT_EQ(search({}, 5).go_on_before, 0) << "the last one is on this page";
    EXPECT_EQ(search(with(&Search::action, "none"), 5).go_on_before, 0);
}

TEST_F(AuditReadingTest, whole_records_come_oldest_first_with_their_macs) {
    write_some(3);
    const auto all = loop.run(log->after(workspace, 1)).value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].stored.number, 2);
    EXPECT_EQ(all[0].from, "192.0.2.7");
    EXPECT_EQ(all[1].stored.mac, verify().head);
    EXPECT_TRUE(loop.run(log->after(workspace, 3)).value().empty());
}

TEST_F(AuditReadingTest, old_records_go_and_what_stays_is_whole) {
    act({{}, "one", {}});
    act({{}, "two", {}});
    const auto cutoff = clock.now + 1;
    act({{}, "three", {}});
    EXPECT_FALSE(shorten(cutoff));
    EXPECT_EQ(numbers({}), (Numbers{4, 3}));
    EXPECT_EQ(search({}).records[0].action, "audit.shortened");
    EXPECT_EQ(search({}).records[0].facts, R"({"by":"server","until_number":"2"})");
    auto found = verify();
    EXPECT_EQ(found.base, 2);
    EXPECT_EQ(found.records, 2);
    EXPECT_FALSE(found.broken_at);
    EXPECT_FALSE(shorten(cutoff)) << "nothing else is old";
    EXPECT_EQ(verify().records, 2);
    restart();
    write_some(2);
    found = verify();
    EXPECT_EQ(found.records, 4);
    EXPECT_FALSE(found.broken_at);
}

TEST_F(AuditReadingTest, newest_one_stays_however_old_it_is) {
    write_some(3);
    EXPECT_FALSE(shorten(clock.now + 1));
    EXPECT_EQ(numbers({}), (Numbers{4, 3}));
    EXPECT_FALSE(verify().broken_at);
    clock.now += 1000;
    EXPECT_FALSE(shorten(clock.now));
    EXPECT_EQ(numbers({}), (Numbers{5, 4}));
    EXPECT_EQ(verify().base, 3);
    EXPECT_FALSE(verify().broken_at);
}

TEST_F(AuditReadingTest, head_that_somebody_else_deleted_is_found) {
    act({{}, "one", {}});
    const auto cutoff = clock.now + 1;
    clock.now += 1000;
    write_some(3);
    shorten(cutoff);
    tamper("DELETE FROM audit_records WHERE number = 2");
    auto found = verify();
    EXPECT_EQ(found.broken_at, 2);
    EXPECT_EQ(found.fault, "it is missing");
    tamper("UPDATE audit_bases SET number = 2");
    found = verify();
    EXPECT_EQ(found.broken_at, 2);
    EXPECT_EQ(found.fault, "what says where the record begins was changed");
    tamper("UPDATE audit_bases SET record_mac = (SELECT mac FROM audit_records WHERE number = 3)");
    EXPECT_TRUE(verify().broken_at);
    tamper("DELETE FROM audit_bases");
    found = verify();
    EXPECT_EQ(found.broken_at, 1);
    EXPECT_EQ(found.fault, "it is missing");
}

TEST_F(AuditReadingTest, base_of_another_workspace_is_none) {
    act({{}, "one", {}});
    const auto cutoff = clock.now + 1;
    clock.now += 1000;
    write_some(1);
    shorten(cutoff);
    tamper("UPDATE audit_bases SET workspace_id = $1", {other});
    tamper("UPDATE audit_records SET workspace_id = $1", {other});
    EXPECT_TRUE(verify(other).broken_at);
}

TEST_F(AuditReadingTest, what_is_owed_is_written_with_the_next_record) {
    tamper(store::SqlText("ALTER TABLE audit_records RENAME TO away"));
    note_lock();
    EXPECT_EQ(log->owed(), 1U);
    const auto done_at = clock.now;
    tamper(store::SqlText("ALTER TABLE away RENAME TO audit_records"));
    clock.now += 5000;
    write_some(1);
    EXPECT_EQ(log->owed(), 0U);
    const auto all = search({}).records;
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].action, "integration.locked");
    EXPECT_EQ(all[0].at_ms, done_at);
    EXPECT_EQ(all[0].facts, R"({"by":"host","recorded":"late"})");
    EXPECT_FALSE(verify().broken_at);
}

}  // namespace
}  // namespace postern::audit::test
