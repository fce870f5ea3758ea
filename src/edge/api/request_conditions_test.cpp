#include "edge/api/request_conditions.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <limits>

namespace postern::api {
namespace {

TEST(IfMatch, permits_where_the_tag_is_in_the_list) {
    for (const auto* field :
         {"*", "\"a-1\"", "\"b\", \"a-1\"", "\"a-1\",\"b\"", " \"a-1\" ", ",, \"a-1\" ,",
          "W/\"b\", \"a-1\"", "\"\", \"a-1\"", "\"x,y\",\"a-1\""})
        EXPECT_TRUE(if_match_permits(field, "\"a-1\"")) << field;
}

TEST(IfMatch, permits_nothing_else) {
    for (const auto* field : {"",
                              ",",
                              "a-1",
                              "\"a-1",
                              "a-1\"",
                              "'a-1'",
                              "W/\"a-1\"",
                              "\"A-1\"",
                              "\"a-1 \"",
                              "\"b\"",
                              "\"a-1\"x",
                              "\"a-1\" \"b\"",
                              "x, \"a-1\"",
                              "*, \"a-1\"",
                              "**",
                              " *",
                              "\"x, \"a-1\", \"",
                              "\"a-1\", \"b",
                              "w/\"a-1\"",
                              "W/",
                              "\"\x7f\", \"a-1\""})
        EXPECT_FALSE(if_match_permits(field, "\"a-1\"")) << field;
}

TEST(EventId, is_a_number_as_we_print_it) {
    EXPECT_EQ(parse_event_id("0"), 0);
    EXPECT_EQ(parse_event_id("41"), 41);
    EXPECT_EQ(parse_event_id("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    for (const auto* field :
         {"", "-1", "-0", "+1", " 1", "1 ", "01", "1x", "x", "0x1", "1.0", "9223372036854775808"})
        EXPECT_FALSE(parse_event_id(field)) << field;
}

}  // namespace
}  // namespace postern::api
