// Oracle: a value that is taken is the one of which PostgreSQL makes these bytes, whatever lengths,
// types and forms a server tells; its words are bounded, glibc takes them for UTF-8, and cleaning
// them again changes nothing.
#include "platform/store/postgres/reply.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/server_words.h"
#include "platform/store/postgres/sqlstate.h"
#include "platform/store/postgres/told_result_fake.h"

#include <iconv.h>
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store::postgres {
namespace {

std::string sent_form(std::int64_t number, std::size_t bytes) {
    std::string form(bytes, '\0');
    for (std::size_t at = bytes; at-- > 0; number >>= 8)
        form[at] = static_cast<char>(number & 0xff);
    return form;
}

std::string sent_form(Oid type, const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* blob = std::get_if<Bytes>(&cell)) return std::string(as_text(*blob));
    const auto number = std::get<std::int64_t>(cell);
    if (type == k_bool) return sent_form(number, 1);
    return sent_form(number, type == k_int8 ? 8 : type == k_int4 ? 4 : 2);
}

void check_rows(const ToldResult& told) {
    const auto pq = told_libpq();
    ReplyReader reader(pq);
    Reply reply;
    if (!reader.add_rows(told.as_result(), reply)) return;
    POSTERN_CHECK(reply.rows.size() == told.rows.size());
    for (std::size_t row = 0; row < told.rows.size(); ++row) {
        POSTERN_CHECK(reply.rows[row].size() == told.columns.size());
        for (std::size_t column = 0; column < told.columns.size(); ++column) {
            const auto& cell = reply.rows[row][column];
            const auto& sent = told.rows[row][column];
            POSTERN_CHECK(std::holds_alternative<std::monostate>(cell) == !sent.has_value());
            if (!sent) continue;
            POSTERN_CHECK(told.columns[column].format == 1);
            POSTERN_CHECK(sent_form(told.columns[column].type, cell) == *sent);
        }
    }
}

bool is_utf8(std::string_view text) {
    static const auto converter = ::iconv_open("UTF-32LE", "UTF-8");
    std::vector<char> room(4 * text.size() + 8);
    char* from = const_cast<char*>(text.data());
    char* to = room.data();
    std::size_t left = text.size();
    std::size_t free = room.size();
    return ::iconv(converter, &from, &left, &to, &free) == 0 && left == 0;
}

void check_words(const ToldResult& told) {
    const auto error = error_of(told_libpq(), told.as_result(), Access::write);
    const auto& detail = error.detail();
    POSTERN_CHECK(detail.size() <= k_server_words_bytes_max + 16 && is_utf8(detail));
    POSTERN_CHECK(
        std::ranges::none_of(detail, [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    const auto words = server_words(told.error_fields.at(PG_DIAG_MESSAGE_PRIMARY));
    POSTERN_CHECK(server_words(words) == words);
}

}  // namespace
}  // namespace postern::store::postgres

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::store::postgres;
    constexpr Oid k_types[] = {k_bool, k_bytea, k_name,    k_int8,    k_int2,
                               k_int4, k_text,  k_unknown, k_varchar, 1700};
    postern::FuzzInput input(data, size);
    ToldResult told;
    told.error_fields[PG_DIAG_SQLSTATE] = input.line();
    told.error_fields[PG_DIAG_MESSAGE_PRIMARY] = input.line();
    told.columns.resize(input.byte() % 5);
    for (auto& column : told.columns)
        column = {.type = k_types[input.byte() % std::size(k_types)],
                  .format = input.byte() == 255 ? 0 : 1};
    while (!told.columns.empty() && !input.bytes().empty()) {
        auto& row = told.rows.emplace_back(told.columns.size());
        for (auto& cell : row) {
            const std::size_t length = input.byte();
            if (length == 255) continue;
            cell.emplace();
            while (cell->size() < length && !input.bytes().empty())
                cell->push_back(static_cast<char>(input.byte()));
        }
    }
    check_rows(told);
    check_words(told);
    return 0;
}
