#include "platform/store/postgres/reply.h"

#include "foundation/base/bytes.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/told_result_fake.h"
#include "platform/store/row.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace postern::store::postgres {
namespace {

using std::string_literals::operator""s;

TEST(PostgresReply, has_the_value_that_the_server_sent) {
    const struct {
        Oid type;
        std::string bytes;
        Cell cell;
    } cases[] = {
        {k_int2, "\x00\x00"s, std::int64_t{0}},
        {k_int2, "\xff\xfe"s, std::int64_t{-2}},
        {k_int4, "\x80\x00\x00\x00"s, std::int64_t{std::numeric_limits<std::int32_t>::min()}},
        {k_int4, "\x00\x00\x01\x02"s, std::int64_t{258}},
        {k_int8, "\x7f\xff\xff\xff\xff\xff\xff\xff"s, std::numeric_limits<std::int64_t>::max()},
        {k_int8, "\x80\x00\x00\x00\x00\x00\x00\x00"s, std::numeric_limits<std::int64_t>::min()},
        {k_bool, "\x00"s, std::int64_t{0}},
        {k_bool, "\x01"s, std::int64_t{1}},
        {k_bytea, "\x00\xff"s, Bytes{0, 255}},
        {k_bytea, "", Bytes{}},
        {k_text, "", ""s},
        {k_text, "caf\xc3\xa9"s, "caf\xc3\xa9"s},
        {k_varchar, "a", "a"s},
        {k_name, "b", "b"s},
        {k_unknown, "c", "c"s},
    };
    for (const auto& one : cases) {
        const auto cell = read_cell(one.type, one.bytes);
        ASSERT_TRUE(cell) << one.type;
        EXPECT_EQ(*cell, one.cell) << one.type;
    }
}

TEST(PostgresReply, is_corrupt_where_a_value_has_not_its_types_form) {
    for (const auto type : {k_int2, k_int4, k_int8, k_bool}) {
        for (const std::size_t size : {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 1000}) {
            const bool fits = (type == k_int2 && size == 2) || (type == k_int4 && size == 4) ||
                              (type == k_int8 && size == 8) || (type == k_bool && size == 1);
            const auto cell = read_cell(type, std::string(size, '\1'));
            EXPECT_EQ(cell.has_value(), fits) << type << " of " << size;
            EXPECT_TRUE(fits || fails_with(cell, StoreError::corrupt)) << type << " of " << size;
        }
    }
    EXPECT_TRUE(fails_with(read_cell(k_bool, "t"), StoreError::corrupt));
    EXPECT_TRUE(fails_with(read_cell(k_bool, "\xff"), StoreError::corrupt));
    // numeric, void, none.
    for (const Oid type : {1700U, 2278U, 0U})
        EXPECT_TRUE(fails_with(read_cell(type, "x"), StoreError::corrupt)) << type;
    const std::string endless(k_value_bytes_max + 1, 'x');
    EXPECT_TRUE(fails_with(read_cell(k_text, endless), StoreError::corrupt));
}

class PostgresReplyReader : public testing::Test {
protected:
    Libpq pq_ = told_libpq();
    ReplyReader reader_{pq_};
    Reply reply_;
};

TEST_F(PostgresReplyReader, collects_the_rows_of_all_results) {
    const ToldResult first{
        .columns = {{k_int2}, {k_text}}, .rows = {{"\x00\x01"s, "one"}}, .error_fields = {}};
    const ToldResult second{
        .columns = {{k_int2}, {k_text}}, .rows = {{"\x00\x02"s, std::nullopt}}, .error_fields = {}};
    ASSERT_TRUE(reader_.add_rows(first.as_result(), reply_));
    ASSERT_TRUE(reader_.add_rows(second.as_result(), reply_));
    ASSERT_EQ(reply_.rows.size(), 2U);
    ASSERT_NE(text_at(reply_, 0, 1), nullptr);
    EXPECT_EQ(*text_at(reply_, 0, 1), "one");
    ASSERT_NE(number_at(reply_, 1, 0), nullptr);
    EXPECT_EQ(*number_at(reply_, 1, 0), 2);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(reply_.rows[1][1]));
}

TEST_F(PostgresReplyReader, refuses_values_in_text_form_and_of_wrong_lengths) {
    // As eight digits of text an integer has the length of a binary one.
    const ToldResult text{.columns = {{k_int8, 0}}, .rows = {{"12345678"}}, .error_fields = {}};
    EXPECT_TRUE(fails_with(reader_.add_rows(text.as_result(), reply_), StoreError::corrupt));
    const ToldResult empty{.columns = {{k_bool}}, .rows = {{""}}, .error_fields = {}};
    EXPECT_TRUE(fails_with(reader_.add_rows(empty.as_result(), reply_), StoreError::corrupt));
    pq_.length = [](const PGresult*, int, int) { return -1; };
    const ToldResult negative{.columns = {{k_text}}, .rows = {{"x"}}, .error_fields = {}};
    EXPECT_TRUE(fails_with(reader_.add_rows(negative.as_result(), reply_), StoreError::corrupt));
}

TEST_F(PostgresReplyReader, takes_rows_up_to_a_limit) {
    const ToldResult rows{.columns = {},
                          .rows = std::vector<std::vector<std::optional<std::string>>>(k_rows_max),
                          .error_fields = {}};
    ASSERT_TRUE(reader_.add_rows(rows.as_result(), reply_));
    EXPECT_TRUE(fails_with(reader_.add_rows(rows.as_result(), reply_), StoreError::too_many_rows));
    // Rows without columns have nothing at any place.
    EXPECT_EQ(text_at(reply_, 0, 0), nullptr);
    EXPECT_EQ(number_at(reply_, 0, 0), nullptr);
    EXPECT_EQ(text_at(reply_, k_rows_max, 0), nullptr);
    EXPECT_EQ(text_at({}, 0, 0), nullptr);
}

TEST(PostgresReply, names_no_value_of_another_type) {
    const Reply reply{.changed = 0, .rows = {{std::int64_t{1}, "text"s}}};
    EXPECT_EQ(text_at(reply, 0, 0), nullptr);
    EXPECT_EQ(number_at(reply, 0, 1), nullptr);
    EXPECT_NE(number_at(reply, 0, 0), nullptr);
}

}  // namespace
}  // namespace postern::store::postgres
