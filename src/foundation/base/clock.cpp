#include "foundation/base/clock.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace postern {
namespace {

constexpr UnixMs k_time_max = 253'402'300'799'999;  // the last millisecond of the year 9999
constexpr std::int64_t k_duration_max_s = 10LL * 366 * 86400;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

/// Minutes east of UTC; `text` is what follows the seconds and their fraction.
std::optional<int> parse_offset(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return std::nullopt;
    }
    const auto hours = digits(text, 1, 2);
    const auto minutes = digits(text, 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const int total = *hours * 60 + *minutes;
    return text[0] == '-' ? -total : total;
}

/// Seconds in one unit of a duration; 0 for a letter that is none.
std::int64_t unit_seconds(char unit, bool in_time) {
    if (!in_time) return unit == 'D' ? 86400 : unit == 'W' ? 604800 : 0;
    return unit == 'H' ? 3600 : unit == 'M' ? 60 : unit == 'S' ? 1 : 0;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

UnixMs SystemClock::now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string rfc3339(UnixMs time) {
    using namespace std::chrono;
    const sys_time<milliseconds> at{milliseconds(time)};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss clock{at - day};
    std::array<char, 40> text{};
    const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                                   int(date.year()), unsigned(date.month()), unsigned(date.day()),
                                   int(clock.hours().count()), int(clock.minutes().count()),
                                   int(clock.seconds().count()), int(clock.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<UnixMs> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    const auto h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (!y || !mo || !d || !h || !mi || !s) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
        text[13] != ':' || text[16] != ':') {
        return std::nullopt;
    }
    const year_month_day date{year(*y), month(unsigned(*mo)), day(unsigned(*d))};
    if (!date.ok() || *y < 1970 || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
    std::size_t at = 19;
    std::int64_t fraction_ms = 0;
    if (at < text.size() && text[at] == '.') {
        const auto first = ++at;
        std::int64_t scale = 100;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            fraction_ms += scale * (text[at++] - '0');
            scale /= 10;
        }
        if (at == first) return std::nullopt;
    }
    const auto offset = parse_offset(text.substr(at));
    if (!offset) return std::nullopt;
    const auto day_ms = sys_days(date).time_since_epoch().count() * std::int64_t{86'400'000};
    const auto time = day_ms + ((*h * 60LL + *mi - *offset) * 60 + *s) * 1000 + fraction_ms;
    if (time < 0 || time > k_time_max) return std::nullopt;
    return time;
}

std::optional<std::int64_t> parse_duration_s(std::string_view text) {
    if (text.size() < 3 || text[0] != 'P') return std::nullopt;
    std::int64_t total = 0;
    std::int64_t last_unit = std::numeric_limits<std::int64_t>::max();
    bool in_time = false;
    bool any = false;
    const char* at = text.data() + 1;
    const char* end = text.data() + text.size();
    while (at != end) {
        if (*at == 'T' && !in_time) {
            in_time = true;
            any = false;
            ++at;
            continue;
        }
        std::int64_t count = 0;
        const auto [next, error] = std::from_chars(at, end, count);
        if (!is_digit(*at) || error != std::errc{} || next == end) return std::nullopt;
        const auto seconds = unit_seconds(*next, in_time);
        // Each unit once, the larger ones first.
        if (seconds == 0 || seconds >= last_unit) return std::nullopt;
        if (count > k_duration_max_s / seconds) return std::nullopt;
        last_unit = seconds;
        total += count * seconds;
        any = true;
        at = next + 1;
    }
    if (!any || total > k_duration_max_s) return std::nullopt;
    return total;
}

}  // namespace postern
