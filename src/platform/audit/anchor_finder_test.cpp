#include "platform/audit/anchor_finder.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/audit/anchor_line.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::audit {
namespace {

std::string anchor(std::int64_t number) {
    return line_of(
        {WorkspaceId::make(1'000), number, Bytes(32, 7), 1'764'300'000'000, Bytes(32, 9)});
}
std::string syslog(const std::string& text) {
    return "<109>1 2026-11-28T03:20:00.123Z mail.example postern - anchor - " + text;
}

struct Outcome {
    std::vector<std::int64_t> numbers;
    std::vector<std::int64_t> broken;
    std::int64_t lines = 0;
    std::int64_t too_long = 0;
};
Outcome look(const std::string& text) {
    AnchorFinder finder;
    finder.take(text);
    finder.finish();
    Outcome out{{}, finder.broken(), finder.lines(), finder.too_long()};
    for (const auto& one : finder.take_found())
        out.numbers.push_back(one.number);
    return out;
}

TEST(AnchorFinder, finds_them_bare_and_within_lines_of_log_servers) {
    const auto found = look(anchor(1) + "\n" + syslog(anchor(2)) + "\n" +
                            "Nov 28 03:20:00 mail.example postern: " + anchor(3) + "\r\n" +
                            "{\"msg\":\"" + anchor(4) + "\",\"host\":\"mail\"}\n" +
                            syslog(anchor(5) + " more") + "\n" + anchor(6));
    EXPECT_EQ(found.numbers, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_TRUE(found.broken.empty());
    EXPECT_EQ(found.lines, 6);
}

TEST(AnchorFinder, passes_over_what_is_not_ours) {
    const auto found = look("\n\nNov 28 sshd[1]: Accepted\nx postern-anchor-2 wks_1 1\n" +
                            std::string("\0\x1b[2J\n", 6) + anchor(1) + "\n");
    EXPECT_EQ(found.numbers, std::vector<std::int64_t>{1});
    EXPECT_TRUE(found.broken.empty());
    EXPECT_EQ(found.lines, 6);
}

TEST(AnchorFinder, tells_lines_that_begin_one_and_are_none) {
    auto spaced = anchor(1);
    spaced.insert(spaced.find(" 1 "), " ");
    auto capital = anchor(1);
    capital.replace(capital.find("0909"), 4, "0A09");
    const auto found =
        look("postern-anchor-1 \n" + anchor(1).substr(0, 100) + "\n" + spaced + "\n" + anchor(1) +
             "0\n" + anchor(0) + "\n" + capital + "\n" + anchor(2) + "\n");
    EXPECT_EQ(found.broken, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(found.numbers, std::vector<std::int64_t>{2});
}

TEST(AnchorFinder, long_lines_are_counted_and_what_follows_is_found) {
    const std::string filler(AnchorFinder::k_line_bytes_max, 'x');
    const auto fits = filler.substr(anchor(1).size()) + anchor(1);
    const auto found = look(filler + anchor(1) + "\n" + fits + "\n" + filler + "y\n" + anchor(2) +
                            "\n" + filler + filler);
    EXPECT_EQ(found.too_long, 3);
    EXPECT_EQ(found.numbers, (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(found.lines, 5);
}

TEST(AnchorFinder, broken_lines_are_told_up_to_a_number) {
    std::string text;
    for (int i = 0; i < 100; ++i)
        text += "postern-anchor-1 x\n";
    EXPECT_EQ(look(text).broken.size(), AnchorFinder::k_broken_max);
}

}  // namespace
}  // namespace postern::audit
