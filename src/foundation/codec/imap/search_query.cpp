#include "foundation/codec/imap/search_query.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

namespace {

constexpr std::size_t k_needle_bytes_max = 998;
constexpr UnixMs k_day_ms_max =
    253'402'300'799'999;  // the last of year 9999: RFC 3501 has four digits
constexpr std::array<std::string_view, 12> k_months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// A needle as a quoted string. A very short one would match foreign mail.
Result<std::string> quoted_needle(std::string_view needle) {
    const bool printable =
        std::ranges::all_of(needle, [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (needle.size() < 4 || needle.size() > k_needle_bytes_max || !printable) {
        return fail(ImapError::bad_argument, "search text");
    }
    std::string out = "\"";
    for (const char c : needle) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string uid_range(Uid first, Uid last) {
    return std::to_string(first) + ':' + (last == 0 ? std::string("*") : std::to_string(last));
}

}  // namespace

Result<SearchQuery> SearchQuery::replies(const Replies& what) {
    const bool range_ok =
        what.first_uid > 0 && (what.last_uid == 0 || what.last_uid >= what.first_uid);
    if (!range_ok || what.needles.empty()) return fail(ImapError::bad_argument, "search range");

    std::vector<std::string> keys;
    for (const std::string& needle : what.needles) {
        POSTERN_TRY(const std::string quoted, quoted_needle(needle));
        keys.push_back("HEADER References " + quoted);
        keys.push_back("HEADER In-Reply-To " + quoted);
    }
    if (what.with_bounces) {
        POSTERN_TRY(const std::string quoted, quoted_needle(what.needles.front()));
        keys.push_back(
            "(OR HEADER Content-Type \"delivery-status\" HEADER From \"MAILER-DAEMON\" TEXT " +
            quoted + ")");
    }
    if (!what.address_needle.empty()) {
        if (!what.address_needle.starts_with('+') || !what.address_needle.ends_with('.')) {
            return fail(ImapError::bad_argument, "search address");
        }
        POSTERN_TRY(const std::string quoted, quoted_needle(what.address_needle));
        keys.push_back("HEADER To " + quoted);
        keys.push_back("HEADER Cc " + quoted);
    }
    SearchQuery query(what.first_uid, what.last_uid);
    query.text_ = "UID SEARCH UID " + uid_range(what.first_uid, what.last_uid);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        query.text_ += i + 1 < keys.size() ? " OR " : " ";
        query.text_ += keys[i];
    }
    if (query.text_.size() > k_command_bytes_max - 16) {
        return fail(ImapError::argument_too_long, "search");
    }
    return query;
}

Result<SearchQuery> SearchQuery::thread_index(std::string_view needle,
                                              std::string_view label,
                                              Uid first_uid,
                                              Uid last_uid) {
    if (first_uid == 0 || last_uid < first_uid) {
        return fail(ImapError::bad_argument, "search range");
    }
    POSTERN_TRY(const std::string quoted, quoted_needle(needle));
    POSTERN_TRY(const std::string found, quoted_needle(label));
    SearchQuery query(first_uid, last_uid);
    query.text_ = "UID SEARCH UID " + uid_range(first_uid, last_uid) + " HEADER Thread-Index " +
                  quoted + " NOT HEADER References " + found + " NOT HEADER In-Reply-To " + found;
    return query;
}

Result<SearchQuery> SearchQuery::names_message_id(Uid uid, std::string_view start) {
    if (uid == 0) return fail(ImapError::bad_argument, "search range");
    POSTERN_TRY(const std::string quoted, quoted_needle("Message-ID: <" + std::string(start)));
    SearchQuery query(uid, uid);
    query.text_ = "UID SEARCH UID " + std::to_string(uid) + " TEXT " + quoted;
    return query;
}

Result<SearchQuery> SearchQuery::since(UnixMs day_ms) {
    if (day_ms < 0 || day_ms > k_day_ms_max) return fail(ImapError::bad_argument, "search date");
    const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(day_ms)};
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(at));
    SearchQuery query(1, 0);
    query.text_ = "UID SEARCH SINCE " + std::to_string(static_cast<unsigned>(date.day())) + '-' +
                  std::string(k_months[static_cast<unsigned>(date.month()) - 1]) + '-' +
                  std::to_string(static_cast<int>(date.year()));
    return query;
}

Result<SearchQuery> SearchQuery::message_id(std::string_view id, Uid first_uid) {
    if (first_uid == 0) return fail(ImapError::bad_argument, "search range");
    POSTERN_TRY(const std::string quoted, quoted_needle(id));
    SearchQuery query(first_uid, 0);
    query.text_ = "UID SEARCH UID " + uid_range(first_uid, 0) + " HEADER Message-ID " + quoted;
    return query;
}

}  // namespace postern::imap
