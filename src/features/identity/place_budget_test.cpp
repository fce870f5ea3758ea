#include "features/identity/place_budget.h"

#include "foundation/base/clock.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::identity {
namespace {

constexpr UnixMs k_now = 1'795'000'000'000;

TEST(PlaceBudget, a_place_has_so_many_in_a_stretch) {
    PlaceBudget budget({.at_place = 2, .stretch_s = 300});
    EXPECT_EQ(budget.take("a", k_now), 0);
    EXPECT_FALSE(budget.is_spent("a"));
    EXPECT_EQ(budget.take("a", k_now + 1'000), 0);
    EXPECT_TRUE(budget.is_spent("a"));
    EXPECT_EQ(budget.take("a", k_now + 1'500), 299);
    EXPECT_EQ(budget.take("b", k_now + 1'500), 0);
    EXPECT_EQ(budget.take("a", k_now + 299'999), 1);
    EXPECT_EQ(budget.take("a", k_now + 300'000), 0);
}

TEST(PlaceBudget, all_places_share_what_is_for_all) {
    PlaceBudget budget({.at_place = 2, .in_all = 3, .stretch_s = 60});
    EXPECT_EQ(budget.take("a", k_now), 0);
    EXPECT_EQ(budget.take("b", k_now), 0);
    EXPECT_EQ(budget.take("c", k_now), 0);
    EXPECT_EQ(budget.take("d", k_now), 60);
}

TEST(PlaceBudget, what_is_given_back_does_not_count) {
    PlaceBudget budget({.at_place = 1, .in_all = 1, .stretch_s = 60});
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(budget.take("a", k_now), 0);
        budget.give_back("a", k_now);
    }
    budget.give_back("a", k_now);
    budget.give_back("b", k_now);
    EXPECT_EQ(budget.take("a", k_now), 0);
    EXPECT_GT(budget.take("b", k_now), 0);
}

TEST(PlaceBudget, one_of_the_stretch_before_is_not_given_back) {
    PlaceBudget budget({.at_place = 1, .stretch_s = 60});
    EXPECT_EQ(budget.take("a", k_now), 0);
    EXPECT_EQ(budget.take("a", k_now + 60'000), 0);
    budget.give_back("a", k_now);
    EXPECT_TRUE(budget.is_spent("a"));
}

TEST(PlaceBudget, clock_that_is_set_back_begins_anew) {
    PlaceBudget budget({.at_place = 1, .stretch_s = 60});
    EXPECT_EQ(budget.take("a", k_now), 0);
    EXPECT_EQ(budget.take("a", k_now - 400LL * 24 * 3600 * 1000), 0);
}

TEST(PlaceBudget, beyond_many_places_the_others_share_what_a_wider_one_has) {
    PlaceBudget budget({.at_place = 1, .stretch_s = 60});
    for (int i = 0; i < 20'000; ++i)
        EXPECT_EQ(budget.take(std::to_string(i), k_now), 0);
    EXPECT_EQ(budget.take("aaaaaa", k_now), 0);
    EXPECT_EQ(budget.take("aaaabb", k_now), 60);
    EXPECT_EQ(budget.take("bbbbbb", k_now), 0);
    EXPECT_EQ(budget.take("7", k_now), 60);
}

TEST(PlaceBudget, what_is_given_back_takes_up_no_room) {
    PlaceBudget budget({.at_place = 1, .stretch_s = 60});
    for (int i = 0; i < 50'000; ++i) {
        ASSERT_EQ(budget.take(std::to_string(i), k_now), 0);
        budget.give_back(std::to_string(i), k_now);
    }
    EXPECT_EQ(budget.take("aaaaaa", k_now), 0);
    EXPECT_EQ(budget.take("aaaabb", k_now), 0);
}

}  // namespace
}  // namespace postern::identity
