#include "edge/api/page.h"

#include "edge/api/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/json.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using codec::FieldError;

std::string codes_of(const std::vector<FieldError>& errors) {
    std::string out;
    for (const auto& error : errors)
        out += error.field + ":" + std::string(error.code) + " ";
    return out;
}

TEST(Cursor, position_comes_back_from_the_list_that_gave_it) {
    const auto id = ThreadId::make(1'700'000'000'000);
    const auto cursor = make_cursor('t', id.bytes());
    EXPECT_EQ(parse_cursor('t', cursor), to_bytes(id.bytes()));
    EXPECT_FALSE(parse_cursor('c', cursor).has_value());
    std::vector<FieldError> errors;
    QueryReader query("cursor=" + cursor, errors);
    EXPECT_EQ(query.cursor_id<ThreadTag>('t'), id);
    query.finish();
    EXPECT_EQ(codes_of(errors), "");
}

TEST(Cursor, other_texts_are_refused) {
    const auto short_one = make_cursor('t', Bytes(15));
    const auto long_one = make_cursor('t', Bytes(17));
    for (const auto& text : {std::string("z"), std::string("%00"), std::string(""),
                             std::string("dA=="), short_one, long_one, std::string(3000, 'A')}) {
        std::vector<FieldError> errors;
        QueryReader query("cursor=" + text, errors);
        EXPECT_TRUE(query.cursor_id<ThreadTag>('t').is_null());
        EXPECT_NE(codes_of(errors), "") << text;
    }
}

TEST(QueryReader, limit_is_bounded) {
    const std::pair<const char*, std::int64_t> good[] = {
        {"", 50}, {"limit=1", 1}, {"limit=100", 100}, {"limit=07", 7}};
    for (const auto& [text, expected] : good) {
        std::vector<FieldError> errors;
        QueryReader query(text, errors);
        EXPECT_EQ(query.limit(), expected) << text;
        EXPECT_EQ(codes_of(errors), "") << text;
    }
    for (const auto* text : {"limit=0", "limit=-1", "limit=101", "limit=x", "limit=", "limit=1.5",
                             "limit=1%20", "limit=99999999999999999999", "limit", "limit=+1"}) {
        std::vector<FieldError> errors;
        QueryReader query(text, errors);
        EXPECT_EQ(query.limit(), 50) << text;
        EXPECT_NE(codes_of(errors), "") << text;
    }
}

TEST(QueryReader, unknown_and_doubled_parameters_are_named) {
    std::vector<FieldError> errors;
    QueryReader query("limit=2&tenant=x&" + std::string(100, 'n') + "=1", errors);
    EXPECT_EQ(query.limit(), 2);
    query.finish();
    EXPECT_EQ(codes_of(errors), "tenant:unknown_field " + std::string(64, 'n') + ":unknown_field ");
    errors.clear();
    QueryReader doubled("limit=2&limit=3", errors);
    EXPECT_EQ(codes_of(errors), "query:invalid ");
    errors.clear();
    QueryReader endless(std::string(k_query_bytes_max + 1, 'a'), errors);
    EXPECT_EQ(codes_of(errors), "query:invalid ");
}

TEST(QueryReader, ids_of_another_kind_are_invalid) {
    const auto thread = ThreadId::make(1).text();
    std::vector<FieldError> errors;
    QueryReader query("creator=" + thread, errors);
    EXPECT_FALSE(query.id<CreatorTag>("creator").has_value());
    EXPECT_EQ(codes_of(errors), "creator:invalid ");
}

TEST(ParseForm, escapes_are_decoded) {
    const auto fields = parse_form("a=1+2&b=%C3%A9%26%3D&c&&=x", 10);
    ASSERT_TRUE(fields.has_value());
    const Fields expected = {{"a", "1 2"}, {"b", "\xC3\xA9&="}, {"c", ""}, {"", "x"}};
    EXPECT_EQ(*fields, expected);
}

TEST(ParseForm, broken_escapes_doubled_names_and_too_many_are_refused) {
    for (const auto* text :
         {"a=%", "a=%4", "a=%zz", "a=%%41", "%=1", "a=1&a=2", "a=1&%61=2", "a=1&b=2&c=3&d=4"}) {
        EXPECT_FALSE(parse_form(text, 3).has_value()) << text;
    }
    EXPECT_TRUE(parse_form("a=1&b=2&c=3", 3).has_value());
}

TEST(ListJson, next_cursor_is_null_at_the_end) {
    EXPECT_EQ(list_json({}, std::nullopt), R"({"items":[],"next_cursor":null})");
    EXPECT_EQ(list_json({"{}", "1"}, "abc"), R"({"items":[{},1],"next_cursor":"abc"})");
}

}  // namespace
}  // namespace postern::api
