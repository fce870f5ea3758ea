#include "foundation/codec/mail/message_id.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::codec {
namespace {

using Ids = std::vector<std::string>;

Ids all_ids(std::string_view value) {
    Ids ids;
    MessageIdReader reader(value);
    while (auto id = reader.next())
        ids.push_back(*std::move(id));
    return ids;
}

constexpr std::string_view k_label = "@box7.ptn.brand.example";
constexpr std::string_view k_ours = "ptn1.abc.1.def@box7.ptn.brand.example";

Ids our_ids(std::string_view value, std::size_t ids_max = 32) {
    Ids ids;
    append_labelled_ids(value, k_label, ids_max, ids);
    return ids;
}

struct Row {
    std::string_view value;
    Ids ids;
};

TEST(MessageIdReader, takes_exact_tokens) {
    const Row rows[] = {
        {"<a@b>", {"a@b"}},
        {"  <a@b>\t", {"a@b"}},
        {"<a@b><c@d>", {"a@b", "c@d"}},
        {"<a@b>,<c@d> ; <e@f>", {"a@b", "c@d", "e@f"}},
        {"\r\n\t<a@b>\r\n <c@d>\r\n", {"a@b", "c@d"}},
        {"<a.\r\n b@c>", {"a.b@c"}},
        {"<a@b> (the first (nested) one) <c@d>", {"a@b", "c@d"}},
        {"<a@b> (not \\) yet <x@y>) <c@d>", {"a@b", "c@d"}},
        {"(<x@y>) <a@b>", {"a@b"}},
        {"Your message of \"Mon <x@y>\" <a@b>", {"a@b"}},
        {"Your message of Monday from ada@example.com <a@b>", {"ada@example.com", "a@b"}},
        {"a@b", {"a@b"}},
        {"a@b c@d", {"a@b", "c@d"}},
        {"a@b> <c@d>", {"a@b", "c@d"}},
        {"<a@b <c@d>", {"a@b", "c@d"}},
        {"<a@b", {"a@b"}},
        {"<a@b c", {"a@b"}},
        {"<no-at-sign>", {"no-at-sign"}},
        {"=?utf-8?Q?=3Ca=40b=3E?=", {"a@b"}},
        {"=?UTF-8?B?PGFAYj4=?= <c@d>", {"a@b", "c@d"}},
        {"=?utf-8?Q?=3Ca=40?=\r\n =?utf-8?Q?b=3E?=", {"a@b"}},
        {"(never closed <a@b>", {"a@b"}},
        {"\"never closed <a@b>", {"a@b"}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(all_ids(row.value), row.ids) << row.value;
}

TEST(MessageIdReader, leaves_out_what_is_no_id) {
    const std::string_view rows[] = {
        "",
        " ",
        "<>",
        "< >",
        "<",
        ">",
        "<><><",
        "words only",
        "()",
        "(a@b)",
        "\"a@b\"",
        ")",
        "\"",
        "(",
        ",;,;",
        "<a\x01@b>",
        std::string_view("<a\0@b>", 6),
        "=?utf-8?Q?"
        "?=",
    };
    for (const auto row : rows)
        EXPECT_EQ(all_ids(row), Ids()) << row;
}

TEST(MessageIdReader, leaves_out_longer_ids_than_allowed) {
    const std::string longest(k_message_id_bytes_max, 'a');
    EXPECT_EQ(all_ids("<" + longest + "> <x@y>"), (Ids{longest, "x@y"}));
    EXPECT_EQ(all_ids("<" + longest + "a> <x@y>"), Ids{"x@y"});
}

TEST(MessageIdReader, looks_at_a_bounded_part_of_a_field) {
    const std::string inside(k_id_field_bytes_max - 5, ' ');
    EXPECT_EQ(all_ids(inside + "<a@b>"), Ids{"a@b"});
    EXPECT_EQ(all_ids(inside + "     <a@b>"), Ids());
}

TEST(MessageIdReader, hostile_megabytes_take_linear_time) {
    for (const std::string_view unit :
         {"(", "\"", "<", ">", "(\"", "<a", "=?utf-8?q?", "((()", "\\"}) {
        std::string value;
        while (value.size() < k_id_field_bytes_max)
            value += unit;
        EXPECT_LE(all_ids(value).size(), value.size());
    }
}

TEST(AppendLabelledIds, finds_ours_first_middle_and_last_of_1100) {
    for (const int place : {0, 550, 1099}) {
        std::string value;
        for (int i = 0; i < 1100; ++i) {
            value += i == place ? "<" + std::string(k_ours) + ">\r\n "
                                : "<" + std::to_string(i) + ".foreign@mail.example>\r\n ";
        }
        EXPECT_EQ(our_ids(value), Ids{std::string(k_ours)}) << place;
    }
}

TEST(AppendLabelledIds, finds_ours_in_headers_of_64_kb_and_1_mb) {
    for (const std::size_t size : {std::size_t{64} << 10U, std::size_t{1} << 20U}) {
        std::string value = "<" + std::string(k_ours) + ">";
        value.insert(0, size - value.size(), ' ');
        EXPECT_EQ(our_ids(value), Ids{std::string(k_ours)}) << size;
    }
}

TEST(AppendLabelledIds, accepts_another_case_of_the_domain) {
    EXPECT_EQ(our_ids("<ptn1.abc.1.def@BOX7.PTN.Brand.Example>"),
              Ids{"ptn1.abc.1.def@BOX7.PTN.Brand.Example"});
}

TEST(AppendLabelledIds, refuses_ids_that_only_contain_the_label) {
    const std::string_view rows[] = {
        "<ptn1.abc.1.def@box7.ptn.brand.example.evil.test>",
        "<ptn1.abc.1.def@box7.ptn.brand.example->",
        "<ptn1.abc.1.def@xbox7.ptn.brand.example>",
        "<ptn1.abc.1.def@box7.ptn.brand.exampl>",
        "<@box7.ptn.brand.example>",
        "<ptn1.abc.1.def@box7.ptn.brand.example >x",
        "(<ptn1.abc.1.def@box7.ptn.brand.example>)",
        "\"<ptn1.abc.1.def@box7.ptn.brand.example>\"",
    };
    for (const auto row : rows) {
        const bool folded = row.find(" >") != std::string_view::npos;
        EXPECT_EQ(our_ids(row).size(), folded ? 1U : 0U) << row;
    }
    EXPECT_FALSE(ends_in_label("anything", ""));
}

TEST(AppendLabelledIds, keeps_each_once_and_at_most_as_many_as_asked) {
    std::string value;
    for (int i = 0; i < 100; ++i)
        value += "<" + std::to_string(i / 2) + std::string(k_label) + "> ";
    EXPECT_EQ(our_ids(value, 100).size(), 50U);
    EXPECT_EQ(our_ids(value, 3), (Ids{"0@box7.ptn.brand.example", "1@box7.ptn.brand.example",
                                      "2@box7.ptn.brand.example"}));
}

}  // namespace
}  // namespace postern::codec
