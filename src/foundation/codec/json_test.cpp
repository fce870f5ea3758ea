#include "foundation/codec/json.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::codec {
namespace {

Result<Json> parse(std::string_view text) {
    return Json::parse(as_bytes(text));
}

TEST(Json, parses_every_kind_of_value) {
    const auto json = parse(R"( {"a":"x\u00e9\n","b":-7,"c":true,"d":null,"e":[1,[2]],"f":{}} )");
    ASSERT_TRUE(json.has_value());
    std::vector<FieldError> errors;
    ObjectReader reader(*json, "", errors);
    EXPECT_EQ(reader.text("a", 100), "x\xc3\xa9\n");
    EXPECT_EQ(reader.integer("b", -10, 10), -7);
    EXPECT_TRUE(reader.flag("c"));
    EXPECT_EQ(reader.optional_text("d", 10), std::nullopt);
    int count = 0;
    reader.items("e", 5, true, [&](const Json&, const std::string&) { ++count; });
    EXPECT_EQ(count, 2);
    EXPECT_NE(reader.value("f", true), nullptr);
    reader.finish();
    EXPECT_TRUE(errors.empty());
}

TEST(Json, refuses_what_is_not_json) {
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "{]",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{a:1}",
                             "[1,]",
                             "{\"a\":1,}",
                             "'a'",
                             "{\"a\":01}",
                             "{\"a\":+1}",
                             "NaN",
                             "// c\n{}",
                             "{} {}",
                             "{}x",
                             "\"\x01\"",
                             "\"\xff\"",
                             "\"\xed\xa0\x80\"",
                             "\"\\ud800\"",
                             "\"a",
                             "tru",
                             "{\"a\":1 \"b\":2}"}) {
        EXPECT_FALSE(parse(text).has_value()) << text;
    }
}

TEST(Json, refuses_duplicate_fields_at_any_depth) {
    for (const char* text : {R"({"a":1,"a":1})", R"([{"x":{"b":1,"c":2,"b":3}}])",
                             R"({"role":"owner","\u0072ole":"reader"})"}) {
        const auto json = parse(text);
        ASSERT_FALSE(json.has_value()) << text;
        EXPECT_TRUE(json.error().is(JsonError::duplicate_field)) << text;
    }
    EXPECT_TRUE(parse(R"([{"a":1},{"a":1}])").has_value());
}

TEST(Json, bounds_depth_and_count) {
    const std::string deep =
        std::string(k_json_depth_max, '[') + std::string(k_json_depth_max, ']');
    EXPECT_TRUE(parse(deep).has_value());
    EXPECT_TRUE(parse("[" + deep + "]").error().is(JsonError::too_deep));
    std::string many = "[0";
    for (std::size_t i = 0; i < k_json_values_max; ++i)
        many += ",0";
    EXPECT_TRUE(parse(many + "]").error().is(JsonError::too_many_values));
}

TEST(ObjectReader, names_every_wrong_field) {
    const auto json = parse(
        R"({"short":"12345","number":"7","deep":{"port":99999,"extra":1},"__proto__":{},"big":1e99,
            "flag":1,"list":[1,2,3]})");
    ASSERT_TRUE(json.has_value());
    std::vector<FieldError> errors;
    ObjectReader reader(*json, "", errors);
    (void)reader.text("short", 4);
    (void)reader.text("gone", 4);
    (void)reader.integer("number", 0, 10);
    (void)reader.integer("big", 0, 10);
    (void)reader.flag("flag");
    reader.items("list", 2, true, [](const Json&, const std::string&) {});
    ObjectReader deep(*reader.value("deep", true), reader.path_of("deep"), errors);
    (void)deep.integer("port", 1, 65535);
    deep.finish();
    reader.finish();
    std::string seen;
    for (const auto& error : errors)
        seen += error.field + ":" + std::string(error.code) + " ";
    EXPECT_EQ(seen,
              "short:too_long gone:missing number:wrong_type big:wrong_type flag:wrong_type "
              "list:too_long deep.port:out_of_range deep.extra:unknown_field "
              "__proto__:unknown_field ");
}

TEST(ObjectReader, secret_is_clear_or_boxed) {
    const auto json = parse(R"({"a":"pass","b":{"sealed":"Zm9v"},"c":{"sealed":"!"},"d":7,
        "e":{"sealed":"Zm9v","x":1}})");
    std::vector<FieldError> errors;
    ObjectReader reader(*json, "", errors);
    auto clear = reader.secret("a", 100, true);
    ASSERT_TRUE(clear.has_value());
    clear->clear.with_bytes([](ByteView bytes) { EXPECT_EQ(as_text(bytes), "pass"); });
    auto boxed = reader.secret("b", 100, true);
    ASSERT_TRUE(boxed.has_value());
    EXPECT_EQ(boxed->boxed, to_bytes("foo"));
    EXPECT_TRUE(errors.empty());
    EXPECT_FALSE(reader.secret("c", 100, true).has_value());
    EXPECT_FALSE(reader.secret("d", 100, true).has_value());
    (void)reader.secret("e", 100, true);
    EXPECT_EQ(errors.size(), 3U);
}

TEST(JsonWriter, writes_what_the_parser_reads) {
    JsonWriter writer;
    writer.begin_object().field("a", "q\"\\\n\x01").field("n", std::int64_t{-5}).field("t", true);
    writer.null_field("z").begin_array("l").item("x").item("y").end_array();
    writer.begin_object("o").end_object().raw_field("r", "[1]").end_object();
    const auto text = writer.take();
    EXPECT_EQ(text,
              R"({"a":"q\"\\\n\u0001","n":-5,"t":true,"z":null,"l":["x","y"],"o":{},"r":[1]})");
    EXPECT_TRUE(parse(text).has_value());
}

}  // namespace
}  // namespace postern::codec
