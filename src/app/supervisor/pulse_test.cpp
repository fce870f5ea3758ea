#include "app/supervisor/pulse.h"

#include "app/supervisor/roles.h"

#include <gtest/gtest.h>
#include <chrono>

namespace postern::app::supervisor {
namespace {

using namespace std::chrono_literals;

/// A clock that moves when told, and a process that answers or does not.
class Watched {
public:
    explicit Watched(Role role) : pulse_(patience_with(role)) {}

    void answers() {
        now_ += 1ms;
        pulse_.answered();
        now_ += k_ping_pause;
    }
    /// One ping that is given up, so much later than it should.
    bool is_silent(std::chrono::milliseconds late = 0ms) {
        const auto sent = now_;
        now_ += k_ping_time + late;
        const bool hangs = pulse_.unanswered(sent, now_);
        now_ += k_ping_pause;
        return hangs;
    }
    /// Pings until it is said to hang.
    int pings_until_it_hangs() {
        constexpr int k_enough = 1000;
        int pings = 1;
        while (!is_silent() && pings < k_enough)
            ++pings;
        return pings;
    }
    [[nodiscard]] std::chrono::milliseconds now() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    }

private:
    Pulse pulse_;
    Pulse::Time now_{};
};

TEST(Pulse, one_that_answers_no_ping_hangs) {
    Watched keeper(Role::keeper);
    EXPECT_EQ(keeper.pings_until_it_hangs(), 4);
}

TEST(Pulse, keeper_is_judged_early_enough_for_a_call_that_waits_twenty_seconds) {
    Watched keeper(Role::keeper);
    (void)keeper.pings_until_it_hangs();
    EXPECT_LE(keeper.now() + k_ping_pause, 15s);
}

TEST(Pulse, nobody_waits_for_the_others_so_they_are_given_more_time) {
    for (const auto role : {Role::front, Role::courier}) {
        Watched other(role);
        (void)other.pings_until_it_hangs();
        EXPECT_GE(other.now(), 30s) << name_of(role);
    }
}

TEST(Pulse, one_answer_in_between_makes_it_a_slow_one) {
    Watched keeper(Role::keeper);
    for (int round = 0; round < 20; ++round) {
        for (int ping = 0; ping < 3; ++ping)
            ASSERT_FALSE(keeper.is_silent());
        keeper.answers();
    }
}

TEST(Pulse, a_machine_that_stood_still_says_nothing_about_the_process) {
    Watched keeper(Role::keeper);
    for (int ping = 0; ping < 3; ++ping)
        ASSERT_FALSE(keeper.is_silent());
    EXPECT_FALSE(keeper.is_silent(1h));
    // Counted from the beginning once more.
    EXPECT_EQ(keeper.pings_until_it_hangs(), 4);
}

}  // namespace
}  // namespace postern::app::supervisor
