#include "platform/audit/logged_anchors.h"

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/audit_lab_test.h"
#include "platform/audit/played_place_test.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern::audit::test {
namespace {

class LoggedAnchorsTest : public AuditLab {
protected:
    /// Numbers in the lines since the last call.
    std::vector<std::int64_t> said() {
        clock.now += 1'000;
        EXPECT_TRUE(loop.run(anchors.say()));
        return lines();
    }
    std::vector<std::int64_t> lines() {
        std::vector<std::int64_t> numbers;
        for (const auto& line : std::exchange(carrier.lines, {}))
            numbers.push_back(line.number);
        return numbers;
    }
    void write_other() {
        ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {other}));
    }
    using Numbers = std::vector<std::int64_t>;

    PlayedLogServer carrier{true};
    LoggedAnchors anchors{{*database, keeper.link, clock, *log, carrier}};
};

TEST_F(LoggedAnchorsTest, all_is_said_at_the_start_and_then_what_is_new) {
    write_some(3);
    write_other();
    EXPECT_EQ(said(), (Numbers{3, 1}));
    EXPECT_EQ(said(), Numbers{});
    write_some(2);
    EXPECT_EQ(said(), Numbers{5});
    EXPECT_EQ(carrier.connection, 7) << "the first connection serves";
    EXPECT_EQ(carrier.sizes.size(), 3U) << "asked with nothing, too: an end shows";
}

TEST_F(LoggedAnchorsTest, what_was_written_before_the_start_is_said) {
    write_some(2);
    restart();
    LoggedAnchors later({*database, keeper.link, clock, *log, carrier});
    EXPECT_TRUE(loop.run(later.say()));
    EXPECT_EQ(lines(), Numbers{2});
}

TEST_F(LoggedAnchorsTest, lines_have_keepers_mac) {
    write_some(1);
    EXPECT_TRUE(loop.run(anchors.say()));
    ASSERT_EQ(carrier.lines.size(), 1U);
    const auto& line = carrier.lines[0];
    keys::CheckAuditMarks ask;
    ask.workspace = workspace;
    ask.kind = keys::AuditMarkKind::anchor;
    ask.marks.push_back({line.number, line.record_mac, line.at_ms, line.mac});
    EXPECT_EQ(keys::test::played(ask).value().good, Bytes{1});
}

TEST_F(LoggedAnchorsTest, all_is_said_again_on_another_connection) {
    write_some(2);
    write_other();
    EXPECT_EQ(said(), (Numbers{2, 1}));
    ++carrier.connection;
    EXPECT_EQ(said(), (Numbers{2, 1}));
    EXPECT_EQ(said(), Numbers{});
    ++carrier.connection;
    write_some(1);
    EXPECT_EQ(said(), (Numbers{3, 3, 1})) << "the new one, and then all of it";
}

TEST_F(LoggedAnchorsTest, all_is_said_each_hour_on_a_new_connection) {
    write_some(1);
    EXPECT_EQ(said(), Numbers{1});
    clock.now += 3'598'000;
    EXPECT_EQ(said(), Numbers{});
    clock.now += 1'000;
    EXPECT_EQ(said(), Numbers{1});
    EXPECT_EQ(carrier.connection, 8);
    // A clock that was set back does not put it off.
    clock.now -= 7'200'000;
    EXPECT_EQ(said(), Numbers{1});
}

TEST_F(LoggedAnchorsTest, what_could_not_be_said_is_told_and_said_later_once) {
    write_some(1);
    EXPECT_EQ(said(), Numbers{1});
    carrier.refuses = true;
    for (int i = 0; i < 3; ++i) {
        write_some(1);
        EXPECT_FALSE(loop.run(anchors.say()));
    }
    EXPECT_EQ(anchors.trouble(), "io_failed played");
    EXPECT_EQ(lines(), Numbers{});
    carrier.refuses = false;
    EXPECT_EQ(said(), Numbers{4}) << "the newest is all that waits";
    EXPECT_EQ(anchors.trouble(), "");
    EXPECT_EQ(anchors.all_said_at_ms(), clock.now);
}

TEST_F(LoggedAnchorsTest, many_workspaces_are_carried_some_at_a_time) {
    std::vector<WorkspaceId> many;
    for (std::size_t i = 0; i < k_carried_max + 1; ++i)
        many.push_back(WorkspaceId::make(static_cast<UnixMs>(10'000 + i)));
    for (const auto& one : many)
        ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {one}));
    EXPECT_EQ(said().size(), many.size());
    EXPECT_EQ(carrier.sizes, (std::vector<std::size_t>{k_carried_max, 1}));
}

TEST_F(LoggedAnchorsTest, without_a_log_server_nothing_is_said) {
    carrier.is_there = false;
    write_some(1);
    EXPECT_EQ(said(), Numbers{});
    EXPECT_TRUE(carrier.sizes.empty());
    EXPECT_EQ(anchors.trouble(), "");
}

TEST(PauseAfter, doubles_up_to_five_minutes_and_is_spread) {
    using std::chrono::milliseconds;
    EXPECT_EQ(pause_after(1, 0), milliseconds(5'000));
    EXPECT_EQ(pause_after(1, 5'000), milliseconds(10'000));
    EXPECT_EQ(pause_after(2, 0), milliseconds(10'000));
    for (const std::uint32_t failures : {6U, 7U, 100U, 0xffffffffU}) {
        EXPECT_EQ(pause_after(failures, 0), milliseconds(150'000));
        EXPECT_LE(pause_after(failures, 0xffffffffU), milliseconds(300'000));
    }
}

}  // namespace
}  // namespace postern::audit::test
