#pragma once

#include "foundation/base/clock.h"

#include <cstdint>

namespace postern::test {

/// Stands still until a test moves it.
class ManualClock final : public Clock {
public:
    UnixMs now = 1'800'000'000'000;
    [[nodiscard]] UnixMs now_ms() const override { return now; }
    void pass_s(std::int64_t seconds) { now += seconds * 1000; }
    void pass_days(std::int64_t days) { pass_s(days * 86'400); }
};

}  // namespace postern::test
