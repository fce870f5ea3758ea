#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/anchors.h"
#include "platform/audit/audit_lab_test.h"
#include "platform/audit/played_place_test.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace postern::audit::test {
namespace {

/// What stood at a second place, as a log server keeps it; the store has none of its own.
class AnchorsLogTest : public AuditLab {
protected:
    void anchor() {
        clock.now += 1'000;
        ASSERT_TRUE(loop.run(anchors.write()));
    }
    std::string lines() const { return place.text(); }
    Anchors::LogComparison compare(const std::string& text) {
        const auto file =
            std::make_shared<const os::Fd>(os::make_memory_file(as_bytes(text)).value());
        PlayedPlace nowhere{false};
        Anchors none({*database, keeper.link, clock, *log, nowhere});
        return loop.run(none.compare_log(file)).value();
    }
    void expect_fault(const std::string& text, const std::string& fault) {
        const auto found = compare(text).faults;
        ASSERT_EQ(found.size(), 1U) << (found.empty() ? "" : found[0] + "; " + found.back());
        EXPECT_NE(found[0].find(fault), std::string::npos) << found[0];
    }

    PlayedPlace place{true};
    Anchors anchors{{*database, keeper.link, clock, *log, place}};
};

TEST_F(AnchorsLogTest, tells_how_far_each_record_had_come_by_it) {
    write_some(2);
    anchor();
    write_some(3);
    ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {other}));
    const auto found = compare("something else\n<109>1 - - - - - - " + lines());
    EXPECT_TRUE(found.faults.empty());
    EXPECT_EQ(found.lines, 2);
    ASSERT_EQ(found.newest.size(), 2U);
    const auto& first = found.newest[0].workspace == workspace ? found.newest[0] : found.newest[1];
    const auto& second = found.newest[0].workspace == workspace ? found.newest[1] : found.newest[0];
    EXPECT_EQ(first.anchors, 1);
    EXPECT_EQ(first.number, 2);
    EXPECT_EQ(first.record, 5);
    EXPECT_EQ(first.at_ms, clock.now);
    EXPECT_EQ(second.anchors, 0);
    EXPECT_EQ(second.number, 0);
    EXPECT_EQ(second.record, 1);
}

TEST_F(AnchorsLogTest, cut_tail_and_deleted_chain_are_found) {
    write_some(5);
    anchor();
    tamper("DELETE FROM audit_records WHERE number = 5");
    EXPECT_FALSE(verify().broken_at);
    expect_fault(lines() + lines(), "the record ends at number 4, and number 5 stood there");
    tamper("DELETE FROM audit_records");
    expect_fault(lines(), "there is no record, and number 5 stood there");
}

TEST_F(AnchorsLogTest, store_that_was_set_back_is_found_also_after_it_went_on) {
    write_some(3);
    anchor();
    tamper("CREATE TABLE kept AS SELECT * FROM audit_records");
    write_some(3);
    anchor();
    tamper("DELETE FROM audit_records");
    tamper("INSERT INTO audit_records SELECT * FROM kept");
    expect_fault(lines(), "ends at number 3, and number 6");
    restart();
    write_some(5);
    expect_fault(lines(), "another number 6 stood there");
}

TEST_F(AnchorsLogTest, lines_that_were_changed_or_made_up_are_told) {
    write_some(2);
    anchor();
    const auto whole = lines();
    auto changed = whole;
    changed.replace(changed.find(" 2 "), 3, " 9 ");
    expect_fault(changed, "the anchor of number 9 was changed");
    expect_fault(whole + "x\n" + whole.substr(0, 60) + "\n", "line 3 is no anchor");
    auto elsewhere = whole;
    elsewhere.replace(elsewhere.find(workspace.text()), workspace.text().size(),
                      WorkspaceId::make(9'999).text());
    expect_fault(elsewhere, "the anchor of number 2 was changed");
    EXPECT_TRUE(compare(whole).faults.empty());
}

TEST_F(AnchorsLogTest, what_went_because_of_its_age_says_nothing) {
    write_some(3);
    anchor();
    write_some(2);
    while (loop.run(log->shorten(workspace, clock.now + 1)).value()) {
    }
    EXPECT_TRUE(compare(lines()).faults.empty());
}

TEST_F(AnchorsLogTest, log_of_many_pieces_is_gone_through_whole) {
    write_some(1);
    anchor();
    const auto first = lines();
    write_some(1);
    anchor();
    std::string text = first;
    // Pieces end within lines.
    while (text.size() < std::size_t{1} << 20U)
        text += first + "Nov 28 03:20:00 somebody else\n";
    text += lines().substr(first.size());
    const auto found = compare(text);
    EXPECT_TRUE(found.faults.empty());
    EXPECT_EQ(found.lines, std::ranges::count(text, '\n'));
    EXPECT_EQ(found.newest.at(0).number, 2);
    EXPECT_EQ(found.newest.at(0).anchors, std::ranges::count(text, '\n') / 2 + 1);
}

TEST_F(AnchorsLogTest, empty_log_says_nothing) {
    write_some(1);
    const auto found = compare("");
    EXPECT_TRUE(found.faults.empty());
    EXPECT_EQ(found.lines, 0);
    ASSERT_EQ(found.newest.size(), 1U);
    EXPECT_EQ(found.newest[0].number, 0);
}

}  // namespace
}  // namespace postern::audit::test
