#include "features/mail/reader/mail_date.h"

#include "features/mail/reader/header_field.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::reader {
namespace {

constexpr std::size_t k_date_bytes_max = 256;

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
    return value < 0 ? std::nullopt : std::optional(value);
}

std::optional<unsigned> month(std::string_view token) {
    static constexpr std::array<std::string_view, 12> k_months{
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    if (token.size() < 3) return {};
    const auto found = std::ranges::find(k_months, lower_case(token.substr(0, 3)));
    if (found == k_months.end()) return {};
    return static_cast<unsigned>(found - k_months.begin()) + 1;
}

// Minutes east of UTC.
std::optional<int> zone(std::string_view token) {
    struct Named {
        std::string_view name;
        int minutes;
    };
    static constexpr std::array<Named, 11> k_named{{{"ut", 0},
                                                    {"gmt", 0},
                                                    {"utc", 0},
                                                    {"est", -300},
                                                    {"edt", -240},
                                                    {"cst", -360},
                                                    {"cdt", -300},
                                                    {"mst", -420},
                                                    {"mdt", -360},
                                                    {"pst", -480},
                                                    {"pdt", -420}}};
    const auto named = std::ranges::find(k_named, lower_case(token), &Named::name);
    if (named != k_named.end()) return named->minutes;
    if (token.size() != 5 || (token[0] != '+' && token[0] != '-')) return {};
    const std::optional<int> value = number(token.substr(1));
    if (!value || *value % 100 > 59 || *value / 100 > 15) return {};
    const int minutes = *value / 100 * 60 + *value % 100;
    return token[0] == '-' ? -minutes : minutes;
}

struct DateFields {
    std::optional<int> day;
    std::optional<unsigned> month;
    std::optional<int> year;
    std::optional<int> seconds;
    std::optional<int> zone_minutes;

    void take(std::string_view token) {
        if (token.contains(':')) {
            if (!seconds) seconds = time_of_day(token);
        } else if (const auto offset = zone(token); offset && !zone_minutes && seconds) {
            zone_minutes = offset;
        } else if (const auto named = reader::month(token); named && !month) {
            month = named;
        } else if (const auto value = number(token)) {
            take_number(token, *value);
        }
    }

private:
    void take_number(std::string_view token, int value) {
        if (!day && token.size() <= 2) {
            day = value;
        } else if (!year && token.size() <= 4) {
            // RFC 5322 section 4.3: two digits below 50 are 20xx, three digits count from 1900.
            if (token.size() == 2) value += value < 50 ? 2000 : 1900;
            if (token.size() == 3) value += 1900;
            year = value;
        }
    }

    static std::optional<int> time_of_day(std::string_view token) {
        std::array<int, 3> part{};
        for (int& value : part) {
            const std::size_t colon = std::min(token.find(':'), token.size());
            const std::optional<int> read = number(token.substr(0, colon));
            if (!read) return {};
            value = *read;
            token.remove_prefix(std::min(colon + 1, token.size()));
            if (token.empty()) break;
        }
        if (part[0] > 23 || part[1] > 59 || part[2] > 60) return {};
        return part[0] * 3600 + part[1] * 60 + part[2];
    }
};

}  // namespace

std::optional<UnixMs> parse_mail_date(std::string_view raw) {
    const std::string value = without_comments(unfolded(raw.substr(0, k_date_bytes_max)));
    DateFields fields;
    std::string_view rest = value;
    while (!trimmed(rest).empty()) {
        rest = trimmed(rest);
        // "07-Apr-2026" splits at "-", a zone does not.
        const bool split = is_digit(rest.front());
        const std::size_t end =
            std::min(rest.find_first_of(split ? " \t,-" : " \t,", 1), rest.size());
        std::string_view token = rest.substr(0, end);
        rest.remove_prefix(end);
        if (!rest.empty() && (rest.front() == '-' || rest.front() == ',')) rest.remove_prefix(1);
        token = trimmed(token);
        const std::size_t dash = token.find('-', 1);
        if (dash != std::string_view::npos && is_alpha(token.front())) {
            fields.take(token.substr(0, dash));
            token.remove_prefix(dash + 1);
        }
        if (!token.empty()) fields.take(token);
    }
    if (!fields.day || !fields.month || !fields.year) return {};
    const std::chrono::year_month_day date(std::chrono::year(*fields.year),
                                           std::chrono::month(*fields.month),
                                           std::chrono::day(static_cast<unsigned>(*fields.day)));
    if (!date.ok() || *fields.year < 1970 || *fields.year > 9999) return {};
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds =
        days * 86'400 + fields.seconds.value_or(0) - fields.zone_minutes.value_or(0) * 60;
    if (seconds < 0) return {};
    return seconds * 1000;
}

}  // namespace postern::reader
