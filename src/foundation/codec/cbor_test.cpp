#include "foundation/codec/cbor.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace postern::codec {
namespace {

Bytes unhex(std::string_view text) {
    return parse_hex(text).value();
}

/// The diagnostic notation of RFC 8949 section 8.
// NOLINTNEXTLINE(misc-no-recursion): as deep as k_cbor_depth_max at most
std::string shown(const Cbor& item) {
    if (item.is_null()) return "null";
    if (const auto flag = item.boolean()) return *flag ? "true" : "false";
    if (const auto number = item.integer()) return std::to_string(*number);
    if (const auto bytes = item.bytes()) return "h'" + hex(*bytes) + "'";
    if (const auto text = item.text()) return '"' + std::string(*text) + '"';
    std::string out;
    if (const auto* const items = item.items()) {
        for (const auto& one : *items)
            out += (out.empty() ? "" : ", ") + shown(one);
        return '[' + out + ']';
    }
    for (const auto& [key, value] : *item.entries())
        out += (out.empty() ? "" : ", ") + shown(key) + ": " + shown(value);
    return '{' + out + '}';
}

/// What is read, or the error's code.
std::string read(ByteView bytes) {
    const auto item = Cbor::parse(bytes);
    return item ? shown(*item) : std::string(item.error().code());
}

TEST(Cbor, reads_the_examples_of_rfc_8949_appendix_a) {
    const std::pair<const char*, const char*> examples[] = {
        {"00", "0"},
        {"01", "1"},
        {"0a", "10"},
        {"17", "23"},
        {"1818", "24"},
        {"1819", "25"},
        {"1864", "100"},
        {"1903e8", "1000"},
        {"1a000f4240", "1000000"},
        {"1b000000e8d4a51000", "1000000000000"},
        {"20", "-1"},
        {"29", "-10"},
        {"3863", "-100"},
        {"3903e7", "-1000"},
        {"f4", "false"},
        {"f5", "true"},
        {"f6", "null"},
        {"40", "h''"},
        {"4401020304", "h'01020304'"},
        {"60", "\"\""},
        {"6161", "\"a\""},
        {"6449455446", "\"IETF\""},
        {"62225c", "\"\"\\\""},
        {"62c3bc", "\"\u00fc\""},
        {"63e6b0b4", "\"\u6c34\""},
        {"64f0908591", "\"\U00010151\""},
        {"80", "[]"},
        {"83010203", "[1, 2, 3]"},
        {"8301820203820405", "[1, [2, 3], [4, 5]]"},
        {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
         "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, "
         "25]"},
        {"a0", "{}"},
        {"a201020304", "{1: 2, 3: 4}"},
        {"a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"},
        {"826161a161626163", "[\"a\", {\"b\": \"c\"}]"},
        {"a56161614161626142616361436164614461656145",
         "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}"},
    };
    for (const auto& [bytes, value] : examples)
        EXPECT_EQ(read(unhex(bytes)), value) << bytes;
}

TEST(Cbor, refuses_what_the_appendix_has_beyond_the_subset) {
    const std::pair<const char*, const char*> refused[] = {
        {"1bffffffffffffffff", "cbor_number_out_of_range"},
        {"3bffffffffffffffff", "cbor_number_out_of_range"},
        {"1b8000000000000000", "cbor_number_out_of_range"},
        {"c249010000000000000000", "cbor_unsupported"},  // a tag: bignum
        {"c074323031332d30332d32315432303a30343a30305a", "cbor_unsupported"},
        {"f90000", "cbor_unsupported"},  // floats
        {"fa47c35000", "cbor_unsupported"},
        {"fb3ff199999999999a", "cbor_unsupported"},
        {"f7", "cbor_unsupported"},  // undefined
        {"f0", "cbor_unsupported"},  // simple(16)
        {"f8ff", "cbor_unsupported"},
        {"5f42010243030405ff", "cbor_indefinite_length"},
        {"7f657374726561646d696e67ff", "cbor_indefinite_length"},
        {"9fff", "cbor_indefinite_length"},
        {"bfff", "cbor_indefinite_length"},
        {"ff", "cbor_indefinite_length"},
        {"1c", "cbor_indefinite_length"},  // reserved
        {"5e", "cbor_indefinite_length"},
    };
    for (const auto& [bytes, code] : refused)
        EXPECT_EQ(read(unhex(bytes)), code) << bytes;
    EXPECT_EQ(Cbor::parse(unhex("1b7fffffffffffffff"))->integer(),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(Cbor::parse(unhex("3b7fffffffffffffff"))->integer(),
              std::numeric_limits<std::int64_t>::min());
}

TEST(Cbor, refuses_every_longer_spelling) {
    for (const char* text : {"1817", "190017", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817",
                             "5800", "580161", "780161", "9800", "b800", "99000100"}) {
        EXPECT_EQ(read(unhex(text)), "cbor_not_minimal") << text;
    }
    EXPECT_EQ(read(unhex("18ff")), "255");
    EXPECT_EQ(read(unhex("190100")), "256");
    EXPECT_EQ(read(unhex("1a00010000")), "65536");
    EXPECT_EQ(read(unhex("1b0000000100000000")), "4294967296");
}

TEST(Cbor, refuses_bad_keys_and_duplicates) {
    const std::pair<const char*, const char*> refused[] = {
        {"a201010102", "cbor_duplicate_key"},   {"a2616101616102", "cbor_duplicate_key"},
        {"a22001200102", "cbor_duplicate_key"}, {"a1a101f60101", "cbor_wrong_key"},
        {"a1410101", "cbor_wrong_key"},         {"a1f501", "cbor_wrong_key"},
        {"a1f601", "cbor_wrong_key"},           {"a18001", "cbor_wrong_key"},
    };
    for (const auto& [bytes, code] : refused)
        EXPECT_EQ(read(unhex(bytes)), code) << bytes;
    // A number and its text are two keys, and the order is not looked at.
    EXPECT_EQ(read(unhex("a3613101010220f5")), "{\"1\": 1, 1: 2, -1: true}");
}

TEST(Cbor, refuses_text_that_is_not_utf_8) {
    for (const char* text :
         {"6180", "61c3", "62c328", "62c080", "62c1bf", "63e08080", "63eda080", "63edbfbf",
          "64f0808080", "64f4908080", "64f5808080", "61ff", "62e282", "63f09f98", "63e28261"}) {
        EXPECT_EQ(read(unhex(text)), "cbor_not_utf8") << text;
    }
    for (const char* text : {"63ed9fbf", "63ee8080", "64f48fbfbf", "64f0908080", "63e0a080"})
        EXPECT_TRUE(Cbor::parse(unhex(text))->text()) << text;
}

TEST(Cbor, refuses_every_cut_and_every_byte_too_many) {
    const auto whole = unhex("a3617881a201026161636b6579205819" + std::string(50, '7') + "02f6");
    ASSERT_TRUE(Cbor::parse(whole)) << read(whole);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(read(ByteView(whole).first(size)), "cbor_cut_off") << size;
    auto longer = whole;
    longer.push_back(0);
    EXPECT_EQ(read(longer), "cbor_trailing_bytes");
    const auto prefix = Cbor::parse_prefix(longer);
    ASSERT_TRUE(prefix);
    EXPECT_EQ(prefix->size, whole.size());
    EXPECT_EQ(shown(prefix->item), read(whole));
}

TEST(Cbor, takes_no_memory_for_lengths_that_are_only_claimed) {
    for (const char* text :
         {"5b7fffffffffffffff00", "7bffffffffffffffff", "9b7fffffffffffffff00",
          "bb8000000000000000", "9affffffff00", "bb7fffffffffffffff0000", "5affffffff"}) {
        EXPECT_EQ(read(unhex(text)), "cbor_cut_off") << text;
    }
}

TEST(Cbor, is_bounded_in_depth_items_and_bytes) {
    const auto nested = [](std::size_t depth, std::string_view opening, std::string_view end) {
        std::string text;
        for (std::size_t i = 1; i < depth; ++i)
            text += opening;
        return unhex(text + std::string(end));
    };
    EXPECT_TRUE(Cbor::parse(nested(k_cbor_depth_max, "81", "80")));
    EXPECT_EQ(read(nested(k_cbor_depth_max + 1, "81", "80")), "cbor_too_deep");
    EXPECT_TRUE(Cbor::parse(nested(k_cbor_depth_max, "a101", "a0")));
    EXPECT_EQ(read(nested(k_cbor_depth_max + 1, "a101", "a0")), "cbor_too_deep");
    EXPECT_EQ(read(Bytes(k_cbor_bytes_max, 0x81)), "cbor_too_deep");

    const auto array = [](std::size_t items) {
        Bytes bytes{0x99, static_cast<std::uint8_t>(items >> 8U), static_cast<std::uint8_t>(items)};
        bytes.resize(bytes.size() + items);
        return bytes;
    };
    EXPECT_EQ(Cbor::parse(array(k_cbor_items_max - 1))->items()->size(), k_cbor_items_max - 1);
    EXPECT_EQ(read(array(k_cbor_items_max)), "cbor_too_many_items");

    EXPECT_EQ(read(Bytes(k_cbor_bytes_max + 1)), "cbor_too_large");
    EXPECT_EQ(read(Bytes(k_cbor_bytes_max)), "cbor_trailing_bytes");
}

TEST(Cbor, finds_values_by_their_keys) {
    const auto bytes = unhex("a4010a200b616118646131f5");
    const auto map = Cbor::parse(bytes);
    ASSERT_TRUE(map) << read(bytes);
    EXPECT_EQ(map->find(1)->integer(), 10);
    EXPECT_EQ(map->find(-1)->integer(), 11);
    EXPECT_EQ(map->find("a")->integer(), 100);
    EXPECT_EQ(map->find("1")->boolean(), true);
    EXPECT_EQ(map->find(0), nullptr);
    EXPECT_EQ(map->find("b"), nullptr);
    EXPECT_EQ(Cbor::parse(unhex("80"))->find(1), nullptr);
    EXPECT_EQ(Cbor().find("a"), nullptr);
}

}  // namespace
}  // namespace postern::codec
