#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

/// Milliseconds since 1970-01-01T00:00:00Z. What is stored and shown.
using UnixMs = std::int64_t;

/// Wall clock, passed in so that tests set it.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual UnixMs now_ms() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] UnixMs now_ms() const override;
};

/// A moment by which work must be done; every call that waits takes one, and hands a smaller one
/// on.
class Deadline {
public:
    using SteadyClock = std::chrono::steady_clock;

    [[nodiscard]] static Deadline in(std::chrono::milliseconds from_now) {
        return Deadline(SteadyClock::now() + from_now);
    }
    /// The earlier of this one and `from_now`.
    [[nodiscard]] Deadline at_most(std::chrono::milliseconds from_now) const {
        return Deadline(std::min(at_, SteadyClock::now() + from_now));
    }
    [[nodiscard]] SteadyClock::time_point at() const noexcept { return at_; }
    [[nodiscard]] bool passed() const { return SteadyClock::now() >= at_; }
    [[nodiscard]] std::chrono::milliseconds left() const {
        return std::max(
            std::chrono::milliseconds(0),
            std::chrono::duration_cast<std::chrono::milliseconds>(at_ - SteadyClock::now()));
    }

private:
    explicit Deadline(SteadyClock::time_point at) : at_(at) {}
    SteadyClock::time_point at_;
};

/// "2026-11-23T21:07:54.123Z" (RFC 3339, UTC, always with milliseconds).
[[nodiscard]] std::string rfc3339(UnixMs time);
/// Nothing unless it is an RFC 3339 time with an offset, between 1970 and 9999.
[[nodiscard]] std::optional<UnixMs> parse_rfc3339(std::string_view text);
/// ISO 8601 durations of days, hours, minutes and seconds: "P30D", "PT12H", "P1DT2H". In seconds.
/// Years and months are refused: they have no fixed length. At most 10 years.
[[nodiscard]] std::optional<std::int64_t> parse_duration_s(std::string_view text);

}  // namespace postern
