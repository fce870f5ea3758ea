#include "platform/audit/anchors.h"

#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/anchor_file.h"
#include "platform/audit/audit_lab_test.h"
#include "platform/audit/played_place_test.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit::test {
namespace {

class AnchorsTest : public AuditLab {
protected:
    Anchors anchors_of(PlayedPlace& at) {
        return Anchors({*database, keeper.link, clock, *log, at});
    }
    Result<> write() {
        clock.now += 1000;
        return loop.run(anchors.write());
    }
    std::vector<std::string> faults() { return loop.run(anchors.compare()).value().faults; }
    /// One fault, which says so.
    void expect_fault(std::string_view text) {
        const auto found = faults();
        ASSERT_EQ(found.size(), 1U) << (found.empty() ? "" : found[0] + "; " + found.back());
        EXPECT_NE(found[0].find(text), std::string::npos) << found[0];
    }
    std::int64_t lines() const {
        const auto text = place.text();
        return std::ranges::count(text, '\n');
    }

    PlayedPlace place{true};
    Anchors anchors = anchors_of(place);
};

TEST_F(AnchorsTest, newest_of_each_workspace_is_said_once) {
    ASSERT_TRUE(write());
    EXPECT_EQ(place.text(), "");
    write_some(3);
    ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {other}));
    ASSERT_TRUE(write());
    EXPECT_EQ(lines(), 2);
    ASSERT_TRUE(write());
    EXPECT_EQ(lines(), 2) << "nothing is new";
    write_some(1);
    ASSERT_TRUE(write());
    EXPECT_EQ(lines(), 3);
    const auto found = loop.run(anchors.compare()).value();
    EXPECT_TRUE(found.is_set);
    EXPECT_EQ(found.lines, 3);
    EXPECT_TRUE(found.faults.empty());
}

TEST_F(AnchorsTest, without_a_second_place_nothing_is_said) {
    PlayedPlace nowhere{false};
    auto none = anchors_of(nowhere);
    write_some(1);
    EXPECT_TRUE(loop.run(none.write()));
    const auto found = loop.run(none.compare()).value();
    EXPECT_FALSE(found.is_set);
    EXPECT_TRUE(found.faults.empty());
    EXPECT_TRUE(nowhere.steps.empty());
}

TEST_F(AnchorsTest, tail_that_was_cut_is_found_while_the_chain_is_whole) {
    write_some(5);
    ASSERT_TRUE(write());
    tamper("DELETE FROM audit_records WHERE number = 5");
    EXPECT_FALSE(verify().broken_at);
    expect_fault("the record ends at number 4, and number 5 stood there");
}

TEST_F(AnchorsTest, store_that_was_set_back_is_found_also_after_it_went_on) {
    write_some(3);
    ASSERT_TRUE(write());
    tamper("CREATE TABLE kept AS SELECT * FROM audit_records");
    tamper("CREATE TABLE kept_anchors AS SELECT * FROM audit_anchors");
    write_some(3);
    ASSERT_TRUE(write());
    tamper("DELETE FROM audit_records");
    tamper("DELETE FROM audit_anchors");
    tamper("INSERT INTO audit_records SELECT * FROM kept");
    tamper("INSERT INTO audit_anchors SELECT * FROM kept_anchors");
    expect_fault("ends at number 3, and number 6");
    restart();
    auto after = anchors_of(place);
    write_some(5);
    EXPECT_FALSE(verify().broken_at);
    ASSERT_TRUE(loop.run(after.write()));
    const auto found = loop.run(after.compare()).value().faults;
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NE(found[0].find("another number 6"), std::string::npos);
}

TEST_F(AnchorsTest, chain_that_was_deleted_as_a_whole_is_found) {
    write_some(2);
    ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {other}));
    ASSERT_TRUE(write());
    tamper("DELETE FROM audit_records WHERE workspace_id = $1", {other});
    tamper("DELETE FROM audit_anchors WHERE workspace_id = $1", {other});
    expect_fault(other.text() + ": there is no record");
}

TEST_F(AnchorsTest, second_place_that_was_changed_is_found) {
    write_some(2);
    ASSERT_TRUE(write());
    const auto whole = place.text();
    auto changed = whole;
    changed.replace(changed.find(" 2 "), 3, " 1 ");
    place.set_text(changed);
    const auto found = faults();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].find("the anchor of number 1 was changed"), std::string::npos);
    EXPECT_NE(found[1].find("number 2 is missing at the second place"), std::string::npos);
    place.set_text("");
    expect_fault("number 2 is missing at the second place");
    place.set_text(whole.substr(0, whole.size() - 10));
    expect_fault("number 2 is missing at the second place");
    place.set_text(whole + "somebody's own line\n");
    expect_fault("line 2 is none");
    place.set_text(whole);
    EXPECT_TRUE(faults().empty());
}

TEST_F(AnchorsTest, second_place_that_cannot_be_written_stops_nothing_and_is_written_later) {
    write_some(1);
    place.refuses = true;
    EXPECT_FALSE(write());
    EXPECT_FALSE(write());
    write_some(1);
    expect_fault("anchors: io_failed played");
    place.refuses = false;
    ASSERT_TRUE(write());
    EXPECT_EQ(lines(), 1);
    EXPECT_TRUE(faults().empty());
}

TEST_F(AnchorsTest, line_that_a_crash_tore_is_closed) {
    write_some(1);
    ASSERT_TRUE(write());
    const auto whole = place.text();
    place.set_text(whole + "postern-anchor-1 wks_");
    write_some(1);
    auto after = anchors_of(place);
    ASSERT_TRUE(loop.run(after.write()));
    EXPECT_TRUE(place.text().starts_with(whole + "postern-anchor-1 wks_~\npostern-anchor-1 "));
    EXPECT_TRUE(faults().empty());
}

TEST_F(AnchorsTest, full_file_is_rotated_and_what_is_newest_begins_the_next) {
    write_some(1);
    ASSERT_TRUE(record([](Transaction&) { return Result<>{}; }, {other}));
    ASSERT_TRUE(write());
    place.set_text(place.text() + std::string(AnchorFile::k_bytes_max, '~') + "\n");
    auto after = anchors_of(place);
    write_some(1);
    ASSERT_TRUE(loop.run(after.write()));
    EXPECT_EQ(place.steps.back(), AnchorStep::rotate);
    EXPECT_EQ(lines(), 2);
    EXPECT_TRUE(place.before.valid());
    EXPECT_TRUE(loop.run(after.compare()).value().faults.empty());
    place.before = {};
    EXPECT_TRUE(loop.run(after.compare()).value().faults.empty()) << "one file is enough";
}

TEST_F(AnchorsTest, accepting_begins_anew_and_stands_in_the_installations_record) {
    write_some(3);
    ASSERT_TRUE(write());
    tamper("DELETE FROM audit_records WHERE number = 3");
    restart();
    auto after = anchors_of(place);
    ASSERT_FALSE(loop.run(after.compare()).value().faults.empty());
    ASSERT_TRUE(loop.run(after.accept()));
    EXPECT_TRUE(loop.run(after.compare()).value().faults.empty());
    EXPECT_EQ(lines(), 2);
    const auto noted = loop.run(log->search(k_installation, {}, 10)).value().records;
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(noted[0].action, "anchors.accepted");
    EXPECT_EQ(noted[0].facts, R"({"by":"host"})");
}

TEST_F(AnchorsTest, trial_sees_every_change) {
    const auto trial = loop.run(anchors.try_changes()).value();
    EXPECT_TRUE(trial.is_whole);
    EXPECT_EQ(trial.seen.size(), 4U);
    EXPECT_TRUE(trial.unseen.empty());
    EXPECT_EQ(place.text(), "");
    keeper.believes_everything = true;
    EXPECT_EQ(loop.run(anchors.try_changes()).value().unseen.size(), 1U);
}

}  // namespace
}  // namespace postern::audit::test
