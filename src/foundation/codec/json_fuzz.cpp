// Oracle: Boost.JSON's own parser accepts whatever is accepted, and refuses what is refused but
// for our stricter rules (depth, values, duplicates); values are the same as its; written again
// and read again they are the same.
#include "foundation/codec/json.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace {

using postern::codec::Json;
using postern::codec::JsonWriter;

void write(JsonWriter& out, const Json& json) {
    if (const auto text = json.text()) {
        out.item(*text);
    } else if (const auto number = json.integer()) {
        out.raw_item(std::to_string(*number));
    } else if (const auto flag = json.boolean()) {
        out.raw_item(*flag ? "true" : "false");
    } else if (json.is_null()) {
        out.raw_item("null");
    } else if (const auto* items = json.items()) {
        JsonWriter inner;
        inner.begin_array();
        for (const auto& item : *items)
            write(inner, item);
        out.raw_item(inner.end_array().take());
    } else if (const auto* fields = json.fields()) {
        JsonWriter inner;
        inner.begin_object();
        for (const auto& [name, value] : *fields) {
            JsonWriter one;
            write(one, value);
            inner.raw_field(name, one.take());
        }
        out.raw_item(inner.end_object().take());
    } else {
        out.raw_item("0.5");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const FuzzInput input(data, size);
    const auto json = Json::parse(input.bytes());
    boost::system::error_code error;
    const auto theirs = boost::json::parse(input.text(), error);
    const bool is_form = !json && json.error().is(codec::JsonError::malformed);
    POSTERN_CHECK(json ? !error : (!is_form || error));
    // Our writer has no field without a name.
    if (!json || input.text().contains("\"\"")) return 0;
    JsonWriter once;
    JsonWriter twice;
    write(once, *json);
    const auto text = once.take();
    const auto again = Json::parse(as_bytes(text));
    POSTERN_CHECK(again.has_value());
    write(twice, *again);
    POSTERN_CHECK(twice.take() == text);
    POSTERN_CHECK(!theirs.is_string() || json->text() == theirs.get_string());
    POSTERN_CHECK(!theirs.is_int64() || json->integer() == theirs.get_int64());
    return 0;
}
