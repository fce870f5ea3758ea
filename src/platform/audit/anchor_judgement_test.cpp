#include "platform/audit/anchor_judgement.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/base64.h"
#include "platform/audit/anchor_line.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {
namespace {

const WorkspaceId k_workspace = WorkspaceId::make(1'000);

Bytes mac_of(std::uint8_t what) {
    return Bytes(32, what);
}
Anchor anchor_of(std::int64_t number) {
    return {k_workspace, number, mac_of(static_cast<std::uint8_t>(number)), 1'764'300'000'000,
            mac_of(0xee)};
}
ChainFacts chain_of(std::int64_t newest) {
    ChainFacts chain;
    chain.newest = newest;
    for (std::int64_t number = 1; number <= newest; ++number)
        chain.macs[number] = mac_of(static_cast<std::uint8_t>(number));
    return chain;
}

TEST(AnchorLine, is_read_as_it_was_written) {
    const auto line = line_of(anchor_of(42));
    EXPECT_EQ(line, "postern-anchor-1 " + k_workspace.text() + " 42 " + codec::hex(mac_of(42)) +
                        " 1764300000000 " + codec::hex(mac_of(0xee)));
    const auto read = parse_anchor(line);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->number, 42);
    EXPECT_EQ(read->workspace, k_workspace);
    EXPECT_EQ(read->record_mac, mac_of(42));
    EXPECT_EQ(line_of(*read), line);
}

TEST(AnchorLine, other_forms_are_none) {
    const auto line = line_of(anchor_of(42));
    const auto with = [&](std::string_view from, std::string_view to) {
        auto text = line;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    for (const auto& wrong :
         {std::string(), line + " ", " " + line, line + "\n", line + " x", with(" 42 ", " 042 "),
          with(" 42 ", " 0 "), with(" 42 ", " -42 "), with(" 42 ", "  42 "), with("2a", "2A"),
          with("2a", "2"), with("2a", "zz"), with("anchor-1", "anchor-2"), with("wks_", "tok_"),
          with(" 1764300000000 ", " 99999999999999999999 "), line.substr(0, line.size() - 2),
          std::string(300, 'x')}) {
        EXPECT_FALSE(parse_anchor(wrong)) << wrong;
    }
}

TEST(AnchorJudgement, lines_are_read_by_workspace_and_torn_ones_passed_over) {
    const auto other = WorkspaceId::make(2'000);
    auto second = anchor_of(2);
    second.workspace = other;
    std::vector<std::string> faults;
    const auto read = read_anchors(line_of(anchor_of(1)) + "\npostern-anch~\n" + line_of(second) +
                                       "\n" + line_of(anchor_of(3)),
                                   faults);
    EXPECT_TRUE(faults.empty());
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read.at(k_workspace).size(), 2U);
    EXPECT_EQ(read.at(other).size(), 1U);
    EXPECT_TRUE(read_anchors("nonsense\n\n", faults).empty());
    EXPECT_EQ(faults,
              (std::vector<std::string>{"anchors: line 1 is none", "anchors: line 2 is none"}));
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "x\n";
    EXPECT_TRUE(read_anchors(many, faults).empty());
    EXPECT_EQ(faults.size(), k_anchor_faults_max);
}

TEST(AnchorJudgement, record_that_is_as_far_as_was_said_is_good) {
    const std::vector<Anchor> anchors{anchor_of(2), anchor_of(5)};
    EXPECT_TRUE(judge_anchors(k_workspace, anchors, chain_of(5)).empty());
    EXPECT_TRUE(judge_anchors(k_workspace, anchors, chain_of(9)).empty());
    EXPECT_TRUE(judge_anchors(k_workspace, {}, chain_of(0)).empty());
    auto shortened = chain_of(9);
    shortened.base = 3;
    shortened.macs.erase(2);
    EXPECT_TRUE(judge_anchors(k_workspace, anchors, shortened).empty()) << "2 was old enough";
}

TEST(AnchorJudgement, what_is_less_or_another_is_told) {
    const std::vector<Anchor> anchors{anchor_of(2), anchor_of(5)};
    const auto told = [&](const ChainFacts& chain) {
        const auto faults = judge_anchors(k_workspace, anchors, chain);
        return faults.size() == 1 ? faults[0] : std::to_string(faults.size()) + " faults";
    };
    EXPECT_NE(told(chain_of(4)).find("the record ends at number 4, and number 5 stood there"),
              std::string::npos);
    EXPECT_NE(told(chain_of(0)).find("there is no record, and number 5"), std::string::npos);
    auto other = chain_of(7);
    other.macs[5] = mac_of(99);
    EXPECT_NE(told(other).find("another number 5 stood there"), std::string::npos);
    auto missing = chain_of(7);
    missing.macs.erase(5);
    EXPECT_NE(told(missing).find("another number 5"), std::string::npos);
    auto set_back = chain_of(4);
    set_back.macs[2] = mac_of(98);
    EXPECT_EQ(told(set_back), "2 faults");
}

}  // namespace
}  // namespace postern::audit
