#include "features/identity/identity.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/throttle.h"
#include "platform/os/files.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdint>
#include <string>

namespace postern::identity {
namespace {

std::string with_unit(std::int64_t seconds) {
    if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + " h";
    if (seconds % 60 == 0) return std::to_string(seconds / 60) + " min";
    return std::to_string(seconds) + " s";
}

/// The page for operators in one line.
std::string page() {
    auto text = os::read_file(POSTERN_SOURCE_DIR "/docs/operating.md", 1U << 20U);
    if (!text) return {};
    std::ranges::replace(*text, '\n', ' ');
    return *text;
}

TEST(LimitsSaid, sessions_last_as_long_as_operators_are_told) {
    const auto said = page();
    for (const auto& words : {
             "A session lasts " + with_unit(k_session_s) + ",",
             "and " + with_unit(k_session_idle_s) + " without a request",
             with_unit(k_half_session_s) + " are for showing the second factor",
             "has " + std::to_string(k_sessions_max) + " at most",
             "a proof of the last " + with_unit(k_fresh_s) + ",",
         }) {
        EXPECT_TRUE(said.contains(words)) << words;
    }
}

TEST(LimitsSaid, guesses_wait_as_long_as_operators_are_told) {
    const auto said = page();
    for (const auto& words : {
             std::to_string(k_free_attempts) + " wrong tries at one address begin a pause of " +
                 with_unit(k_pause_first_s) + ";",
             "to " + with_unit(k_pause_max_s) + " at most",
             std::to_string(k_wrong_at_place_max) + " wrong passwords from one network",
             "within " + with_unit(k_wrong_stretch_s) + ",",
             "after " + with_unit(k_attempts_kept_s) + " without one",
         }) {
        EXPECT_TRUE(said.contains(words)) << words;
    }
}

}  // namespace
}  // namespace postern::identity
