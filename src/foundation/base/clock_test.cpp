#include "foundation/base/clock.h"

#include <gtest/gtest.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace postern {
namespace {

using std::chrono::milliseconds;

static_assert(!std::is_default_constructible_v<Deadline>);
static_assert(!std::is_constructible_v<Deadline, milliseconds>);

struct TimeCase {
    UnixMs time;
    const char* text;
};

constexpr std::array k_times{
    TimeCase{.time = 0, .text = "1970-01-01T00:00:00.000Z"},
    TimeCase{.time = 999, .text = "1970-01-01T00:00:00.999Z"},
    TimeCase{.time = 951782400000, .text = "2000-02-29T00:00:00.000Z"},
    TimeCase{.time = 1700000000123, .text = "2023-11-14T22:13:20.123Z"},
    TimeCase{.time = 4102444799999, .text = "2099-12-31T23:59:59.999Z"},
    TimeCase{.time = 253402300799999, .text = "9999-12-31T23:59:59.999Z"},
};

TEST(Rfc3339, prints_utc_with_milliseconds) {
    for (const auto& [time, text] : k_times)
        EXPECT_EQ(rfc3339(time), text);
}

TEST(Rfc3339, reads_back_what_it_prints) {
    for (const auto& [time, text] : k_times)
        EXPECT_EQ(parse_rfc3339(text), time) << text;
}

TEST(Rfc3339, reads_offsets_fractions_and_lower_case) {
    constexpr std::array k_accepted{
        TimeCase{.time = 1700000000000, .text = "2023-11-14T22:13:20Z"},
        TimeCase{.time = 1700000000000, .text = "2023-11-14t22:13:20z"},
        TimeCase{.time = 1700000000000, .text = "2023-11-14T23:13:20+01:00"},
        TimeCase{.time = 1700000000000, .text = "2023-11-14T16:43:20-05:30"},
        TimeCase{.time = 1700000000500, .text = "2023-11-14T22:13:20.5Z"},
        TimeCase{.time = 1700000000123, .text = "2023-11-14T22:13:20.123456789Z"},
        // A leap second counts as the first second after it.
        TimeCase{.time = 1483228800000, .text = "2016-12-31T23:59:60Z"},
    };
    for (const auto& [time, text] : k_accepted)
        EXPECT_EQ(parse_rfc3339(text), time) << text;
}

TEST(Rfc3339, refuses_what_is_no_time_with_an_offset) {
    constexpr std::array k_refused{
        "",
        "2023",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-11-14T22:13Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.1",
        "2023-11-14T22:13:20,1Z",
        "2023-13-14T22:13:20Z",
        "2023-00-14T22:13:20Z",
        "2023-02-29T22:13:20Z",
        "2023-11-31T22:13:20Z",
        "2023-11-14T24:13:20Z",
        "2023-11-14T22:60:20Z",
        "2023-11-14T22:13:61Z",
        "1969-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "2023-11-14T22:13:20+1:00",
        "2023-11-14T22:13:20+0100",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+01:60",
        "2023-11-14T22:13:20ZZ",
        "2023-11-14T22:13:20Z ",
        " 2023-11-14T22:13:20Z",
        "+023-11-14T22:13:20Z",
        "2023-11-14T-2:13:20Z",
        "2023/11/14T22:13:20Z",
        "2023-11-14T22.13.20Z",
    };
    for (const char* text : k_refused)
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

TEST(Rfc3339, refuses_a_time_that_its_offset_moves_out_of_range) {
    EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00+00:01"), std::nullopt);
    EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59-00:01"), std::nullopt);
    EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:60Z"), std::nullopt);
    EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00-00:01"), 60'000);
}

TEST(Rfc3339, stands_any_length_of_fraction) {
    const auto text = "2023-11-14T22:13:20." + std::string(100'000, '9') + "Z";
    EXPECT_EQ(parse_rfc3339(text), 1700000000999);
}

TEST(Duration, reads_days_hours_minutes_and_seconds) {
    struct Case {
        const char* text;
        std::int64_t seconds;
    };
    constexpr std::array k_accepted{
        Case{.text = "P30D", .seconds = 2'592'000},
        Case{.text = "P2W", .seconds = 1'209'600},
        Case{.text = "PT12H", .seconds = 43'200},
        Case{.text = "PT1M", .seconds = 60},
        Case{.text = "PT0S", .seconds = 0},
        Case{.text = "P1DT2H3M4S", .seconds = 93'784},
        Case{.text = "P3660D", .seconds = 316'224'000},
    };
    for (const auto& [text, seconds] : k_accepted) {
        EXPECT_EQ(parse_duration_s(text), seconds) << text;
    }
}

TEST(Duration, refuses_other_units_bad_forms_and_more_than_ten_years) {
    constexpr std::array k_refused{
        "",
        "P",
        "PT",
        "P1",
        "30D",
        "P1Y",
        "P1M",
        "PD",
        "P1DT",
        "P-1D",
        "-P1D",
        "P1.5D",
        "P 1D",
        "P1D ",
        "p1d",
        "PT1D",
        "P1H",
        "P1S",
        "PT1H1T",
        "P3661D",
        "PT1W",
        "P1DT1DT",
        "P+1D",
        "PT12H\n",
        "PTT1H",
        "P1D1D1",
        "P0x10D",
        "P9223372036854775807D",
        "P9223372036854775808D",
        "PT99999999999999999999S",
        "P3660DT1S",
        "P1D1D",
        "P1D1W",
        "PT1S1H",
        "PT1M1M",
        "P-0D",
    };
    for (const char* text : k_refused)
        EXPECT_EQ(parse_duration_s(text), std::nullopt) << text;
}

TEST(Duration, refuses_many_parts_that_add_up_beyond_the_bound) {
    std::string text = "P";
    for (int i = 0; i < 10'000; ++i)
        text += "3660D";
    EXPECT_EQ(parse_duration_s(text), std::nullopt);
}

TEST(Deadline, passes_only_when_its_time_has_come) {
    EXPECT_FALSE(Deadline::in(std::chrono::hours(1)).passed());
    EXPECT_TRUE(Deadline::in(milliseconds(0)).passed());
    EXPECT_TRUE(Deadline::in(milliseconds(-1)).passed());
}

TEST(Deadline, has_nothing_left_when_passed_and_never_less) {
    EXPECT_EQ(Deadline::in(milliseconds(-5000)).left(), milliseconds(0));
    const auto left = Deadline::in(std::chrono::hours(1)).left();
    EXPECT_GT(left, std::chrono::minutes(59));
    EXPECT_LE(left, std::chrono::hours(1));
}

TEST(Deadline, only_shrinks_when_handed_on) {
    const auto near = Deadline::in(std::chrono::seconds(1));
    EXPECT_EQ(near.at_most(std::chrono::hours(1)).at(), near.at());
    EXPECT_LT(Deadline::in(std::chrono::hours(1)).at_most(std::chrono::seconds(1)).left(),
              std::chrono::seconds(2));
}

TEST(SystemClock, tells_a_time_of_this_century) {
    const auto now = SystemClock().now_ms();
    EXPECT_GT(now, parse_rfc3339("2024-01-01T00:00:00Z").value());
    EXPECT_LT(now, parse_rfc3339("2100-01-01T00:00:00Z").value());
}

}  // namespace
}  // namespace postern
