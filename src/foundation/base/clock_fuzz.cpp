// Oracle: a time that is read is printed as one that is read as the same; a duration that is read
// has the form of ISO 8601 (each unit once, in order), and is the sum of its parts.
#include "foundation/base/clock.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace {

using Unit = std::pair<char, std::int64_t>;

/// The digits and the unit at the front, where they are there; else nothing is taken.
bool take(std::string_view& text, const Unit& unit, std::int64_t& total) {
    const auto end = text.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos || text[end] != unit.first) return false;
    std::int64_t count = 0;
    for (const char digit : text.substr(0, end))
        count = count * 10 + (digit - '0');
    total += count * unit.second;
    text.remove_prefix(end + 1);
    return true;
}

bool is_duration_of(std::string_view text, std::int64_t seconds) {
    constexpr std::array k_date{Unit{'W', 604800}, Unit{'D', 86400}};
    constexpr std::array k_time{Unit{'H', 3600}, Unit{'M', 60}, Unit{'S', 1}};
    std::int64_t total = 0;
    bool any = false;
    text.remove_prefix(1);
    for (const auto& unit : k_date)
        any = take(text, unit, total) || any;
    if (text.starts_with('T')) {
        any = false;
        text.remove_prefix(1);
        for (const auto& unit : k_time)
            any = take(text, unit, total) || any;
    }
    return any && text.empty() && total == seconds;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const auto text = FuzzInput(data, size).text();
    if (const auto time = parse_rfc3339(text)) {
        POSTERN_CHECK(parse_rfc3339(rfc3339(*time)) == *time);
        POSTERN_CHECK(text.size() >= 20 && rfc3339(*time).size() == 24);
    }
    if (const auto seconds = parse_duration_s(text)) {
        POSTERN_CHECK(*seconds >= 0 && is_duration_of(text, *seconds));
    }
    return 0;
}
