// Oracle: a date that is read lies within its bounds, and is read as the same when it is written as
// RFC 5322 wants it.
#include "features/mail/reader/mail_date.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono;
    constexpr std::array k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto raw = postern::FuzzInput(data, size).text();
    const auto time = postern::reader::parse_mail_date(raw);
    if (!time) return 0;
    POSTERN_CHECK(*time >= 0 && *time <= 253'402'300'799'999 && *time % 1000 == 0);
    const sys_seconds at{seconds(*time / 1000)};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss clock{at - day};
    std::array<char, 64> text{};
    const int written = std::snprintf(text.data(), text.size(), "%u %s %04d %02d:%02d:%02d +0000",
                                      unsigned(date.day()), k_months[unsigned(date.month()) - 1],
                                      int(date.year()), int(clock.hours().count()),
                                      int(clock.minutes().count()), int(clock.seconds().count()));
    const std::string_view canonical(text.data(), static_cast<std::size_t>(written));
    POSTERN_CHECK(postern::reader::parse_mail_date(canonical) == *time);
    return 0;
}
