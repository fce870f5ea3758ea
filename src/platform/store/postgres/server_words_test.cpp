#include "platform/store/postgres/server_words.h"

#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/sqlstate.h"
#include "platform/store/postgres/told_result_fake.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace postern::store::postgres {
namespace {

TEST(PostgresServerWords, stay_as_they_are_when_they_can_be_shown) {
    for (const std::string text :
         {"", "relation \"people\" does not exist", "Verbindung f\xc3\xbcr Nutzer abgelehnt",
          "\xe6\x8e\xa5\xe7\xb6\x9a\xe3\x81\xa7\xe3\x81\x8d\xe3\x81\xbe\xe3\x81\x9b\xe3\x82\x93"})
        EXPECT_EQ(server_words(text), text);
}

TEST(PostgresServerWords, lose_what_turns_hides_or_ends_a_line) {
    const std::pair<std::string, std::string> cases[] = {
        {"one\ntwo", "one"},
        {"a\rb\tc\x7f", "a?b?c?"},
        {"\x1b[2J\x1b]0;x\x07", "?[2J?]0;x?"},
        {std::string("nul\0l", 5), "nul?l"},
        {"\xc2\x9b[31m", "?[31m"},                     // CSI
        {"\xe2\x80\xaepwned\xe2\x80\xa8", "?pwned?"},  // turned around; a line's end
        {"\xef\xbb\xbfx\xe2\x80\x8b", "?x?"},          // seen by nobody
        {"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff", "?? ??? ???? ?"},
        {"\xe2\x82", "??"},
        {"\xf0\x9f\x98", "???"},
    };
    for (const auto& [text, words] : cases)
        EXPECT_EQ(server_words(text), words) << text;
}

TEST(PostgresServerWords, are_bounded_at_a_characters_end) {
    std::string text(k_server_words_bytes_max - 1, 'x');
    EXPECT_EQ(server_words(text + "yy").size(), k_server_words_bytes_max);
    EXPECT_EQ(server_words(text + "\xc3\xbc"), text);
    EXPECT_EQ(server_words(std::string(1U << 20U, '\x01')),
              std::string(k_server_words_bytes_max, '?'));
}

TEST(PostgresServerWords, are_what_an_errors_detail_tells) {
    const auto pq = told_libpq();
    const auto error_with = [&pq](const std::string& state, const std::string& message) {
        ToldResult told;
        told.error_fields = {{PG_DIAG_SQLSTATE, state}, {PG_DIAG_MESSAGE_PRIMARY, message}};
        return error_of(pq, told.as_result(), Access::write);
    };
    const auto named = error_with("42P01", "no table \x1b[1m\nDETAIL: more");
    EXPECT_TRUE(named.is(StoreError::bad_statement));
    EXPECT_EQ(named.detail(), "SQLSTATE 42P01: no table ?[1m");
    const std::string endless(1U << 20U, 'x');
    EXPECT_LT(error_with("23505", endless).detail().size(), 300U);
    // Of a value that does not fit the message may tell the value.
    EXPECT_EQ(error_with("22001", "value 'secret'").detail(), "SQLSTATE 22001");
    for (const auto& state : {endless, std::string("42P0\n"), std::string("42p01"),
                              std::string("42"), std::string("42P011")}) {
        const auto error = error_with(state, "words");
        EXPECT_TRUE(error.is(StoreError::io_failed)) << state.substr(0, 9);
        EXPECT_EQ(error.detail(), "a SQLSTATE of another form");
    }
    EXPECT_TRUE(error_with("", "").is(StoreError::connection_lost));
    EXPECT_TRUE(error_of(pq, nullptr, Access::write).is(StoreError::connection_lost));
}

}  // namespace
}  // namespace postern::store::postgres
