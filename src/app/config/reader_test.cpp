#include "app/config/reader.h"

#include "app/config/config_error.h"
#include "app/config/document.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::app::config {
namespace {

TEST(EditDistance, counts_letters_to_change) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("listen", "listen"), 0U);
    EXPECT_EQ(edit_distance("listen", "lisen"), 1U);
    EXPECT_EQ(edit_distance("listen", "silent"), 4U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(Reader, a_far_name_is_no_suggestion) {
    Reader reader(*parse_document("zzzzzzzz = 1\nab = 1\n"));
    EXPECT_FALSE(reader.text("xy"));
    const auto problems = reader.finish();
    ASSERT_EQ(problems.size(), 2U);
    EXPECT_EQ(problems[0].text, "there is no such setting");
    EXPECT_EQ(problems[1].text, "there is no such setting");
}

TEST(Reader, lists_have_a_bound) {
    std::string toml = "a = [";
    for (int i = 0; i < 1001; ++i)
        toml += "'x',";
    Reader reader(*parse_document(toml + "]"));
    EXPECT_FALSE(reader.texts("a"));
    EXPECT_EQ(reader.finish().front().code, ConfigError::out_of_range);
}

TEST(Reader, numbers_outside_64_bits_are_no_syntax) {
    EXPECT_FALSE(parse_document("a = 99999999999999999999"));
}

}  // namespace
}  // namespace postern::app::config
