#include "edge/cli/audit_report.h"

#include "edge/cli/admin_protocol.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::cli {
namespace {

VerifyAudit::Answer whole() {
    VerifyAudit::Answer answer;
    answer.chains.push_back({"wks_one", 7, 0, "", "abcd", 2});
    answer.log.lines = 40;
    answer.log.newest.push_back({"wks_one", 3, 6, 1'764'300'000'000, 7});
    answer.log.newest.push_back({"wks_two", 0, 0, 0, 5});
    return answer;
}

TEST(AuditReport, says_what_no_second_place_or_a_log_server_alone_does_not_show) {
    auto answer = whole();
    const auto none = report_of(answer, false);
    EXPECT_TRUE(none.is_whole);
    EXPECT_NE(none.text.find("wks_one: 7 records after number 2, whole; head abcd\n"),
              std::string::npos);
    EXPECT_NE(none.text.find("second place: none;"), std::string::npos);
    EXPECT_EQ(none.text.find("log:"), std::string::npos);
    answer.has_log_server = true;
    const auto server = report_of(answer, false);
    EXPECT_TRUE(server.is_whole);
    EXPECT_NE(server.text.find("second place: a log server, whose lines this server cannot read"),
              std::string::npos);
    answer.has_anchors = true;
    answer.anchors = 4;
    const auto both = report_of(answer, false);
    EXPECT_NE(both.text.find("second place: 4 anchors\n"), std::string::npos);
    EXPECT_EQ(both.text.find("cannot read"), std::string::npos);
}

TEST(AuditReport, says_how_far_each_record_was_by_a_log) {
    auto answer = whole();
    answer.log.too_long = 1;
    const auto report = report_of(answer, true);
    EXPECT_TRUE(report.is_whole);
    EXPECT_NE(report.text.find("log: 40 lines\nlog: 1 of them are too long"), std::string::npos);
    EXPECT_NE(report.text.find("log: wks_one: 3 anchors, the farthest says number 6 at "
                               "2025-11-28T03:20:00.000Z; its record is at number 7\n"),
              std::string::npos);
    EXPECT_NE(report.text.find("log: wks_two: no anchor; its record is at number 5\n"),
              std::string::npos);
    EXPECT_EQ(report.text.find("second place"), std::string::npos);
}

TEST(AuditReport, one_fault_anywhere_is_enough) {
    auto broken = whole();
    broken.chains.push_back({"wks_three", 2, 3, "it is missing", "", 0});
    EXPECT_FALSE(report_of(broken, false).is_whole);
    auto file = whole();
    file.anchor_faults.emplace_back("wks_one: another\x1b[2J");
    const auto told = report_of(file, false);
    EXPECT_FALSE(told.is_whole);
    EXPECT_NE(told.text.find("second place: wks_one: another"), std::string::npos);
    EXPECT_EQ(told.text.find('\x1b'), std::string::npos);
    auto log = whole();
    log.log.faults.emplace_back("line 3 is no anchor");
    EXPECT_FALSE(report_of(log, true).is_whole);
    EXPECT_TRUE(report_of(log, false).is_whole) << "there was none";
}

}  // namespace
}  // namespace postern::cli
