#include "foundation/crypto/one_time_code.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace postern::crypto {
namespace {

const std::string k_rfc_key = "12345678901234567890";

Secret rfc_key() {
    return Secret::copy_of(as_bytes(k_rfc_key));
}

TEST(OneTimeCode, counts_as_in_appendix_d_of_rfc_4226) {
    const char* const codes[] = {"755224", "287082", "359152", "969429", "338314",
                                 "254676", "287922", "162583", "399871", "520489"};
    for (std::uint64_t counter = 0; counter < std::size(codes); ++counter)
        EXPECT_EQ(one_time_code(rfc_key(), counter), codes[counter]) << counter;
}

TEST(OneTimeCode, follows_the_clock_as_in_appendix_b_of_rfc_6238) {
    const std::pair<std::int64_t, const char*> vectors[] = {{59, "94287082"},
                                                            {1'111'111'109, "07081804"},
                                                            {1'111'111'111, "14050471"},
                                                            {1'234'567'890, "89005924"},
                                                            {2'000'000'000, "69279037"},
                                                            {20'000'000'000, "65353130"}};
    for (const auto& [second, code] : vectors) {
        const auto step = time_step_at(second * 1000);
        EXPECT_EQ(one_time_code(rfc_key(), static_cast<std::uint64_t>(step), 8), code) << second;
    }
}

TEST(OneTimeCode, steps_begin_every_30_seconds) {
    const std::pair<UnixMs, std::int64_t> cases[] = {
        {0, 0}, {29'999, 0}, {30'000, 1}, {59'999, 1}, {-1, -1}, {-30'000, -1}, {-30'001, -2}};
    for (const auto& [at, step] : cases)
        EXPECT_EQ(time_step_at(at), step) << at;
}

TEST(OneTimeCode, one_step_to_each_side_counts) {
    for (std::int64_t step = 98; step <= 102; ++step) {
        const auto code = one_time_code(rfc_key(), static_cast<std::uint64_t>(step));
        const auto found = match_time_code(rfc_key(), code, 100, 0);
        const bool is_near = step >= 99 && step <= 101;
        EXPECT_EQ(found, is_near ? std::optional(step) : std::nullopt) << step;
    }
}

TEST(OneTimeCode, step_that_was_used_and_what_is_before_it_do_not_count) {
    const auto code_of = [](std::int64_t step) {
        return one_time_code(rfc_key(), static_cast<std::uint64_t>(step));
    };
    EXPECT_EQ(match_time_code(rfc_key(), code_of(100), 100, 99), 100);
    EXPECT_EQ(match_time_code(rfc_key(), code_of(100), 100, 100), std::nullopt);
    EXPECT_EQ(match_time_code(rfc_key(), code_of(99), 100, 100), std::nullopt);
    EXPECT_EQ(match_time_code(rfc_key(), code_of(101), 100, 100), 101);
}

TEST(OneTimeCode, other_texts_are_no_code) {
    const auto code = one_time_code(rfc_key(), 100);
    for (const auto& wrong : {std::string(), code.substr(1), code + "0", " " + code, code + "\n",
                              std::string(6, '\0'), std::string("000000")}) {
        EXPECT_EQ(match_time_code(rfc_key(), wrong, 100, 0), std::nullopt) << wrong;
    }
}

}  // namespace
}  // namespace postern::crypto
