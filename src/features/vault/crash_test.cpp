#include "features/vault/crash_lab_test.h"
#include "features/vault/vault_values_test.h"

#include <string_view>

/// Kill -9 before and after every change of the store, in a process of its own; then what a restart
/// finds, and that front can go on from it.
namespace postern::vault {
namespace {

constexpr std::string_view k_old = "maple-otter-violin";
constexpr std::string_view k_new = "zebra under lamplight";

class CrashTest : public CrashLab {};

TEST_F(CrashTest, reseal_is_whole_or_not_at_all) {
    bool killed = true;
    int steps = 0;
    for (; killed; ++steps) {
        const auto before = connect(k_old);
        const auto after = prepare_reseal(before, k_old, k_new);
        ASSERT_TRUE(after);
        killed = killed_at(steps, [&] { (void)commit(after->seal.epoch); });
        const bool done = status().epoch == after->seal.epoch;
        if (!done) {
            EXPECT_EQ(status().epoch, before.epoch);
            EXPECT_EQ(status().pending_epoch, after->seal.epoch);
            EXPECT_TRUE(unlock(before, k_old));
            EXPECT_FALSE(unlock(after->seal, k_new));
        }
        // Front rolls forward.
        ASSERT_TRUE(commit(after->seal.epoch)) << steps;
        EXPECT_TRUE(unlock(after->seal, k_new)) << steps;
        EXPECT_FALSE(unlock(before, k_old)) << steps;
    }
    EXPECT_GE(steps, 4);
}

TEST_F(CrashTest, cut_off_is_whole_or_not_at_all) {
    bool killed = true;
    int steps = 0;
    for (; killed; ++steps) {
        const auto seal = connect(k_old);
        const auto granted = grant(seal, k_old);
        killed = killed_at(steps, [&] { (void)cut_off(); });
        if (status().cut_off) {
            EXPECT_FALSE(unlock(seal, k_old)) << steps;
            EXPECT_FALSE(mint(seal, {*granted})) << steps;
        } else {
            EXPECT_EQ(status().epoch, seal.epoch);
            EXPECT_TRUE(unlock(seal, k_old)) << steps;
            EXPECT_TRUE(mint(seal, {*granted})) << steps;
        }
        ASSERT_TRUE(cut_off()) << steps;
        EXPECT_TRUE(status().cut_off) << steps;
        EXPECT_FALSE(unlock(seal, k_old)) << steps;
    }
    EXPECT_GE(steps, 4);
}

TEST_F(CrashTest, first_connection_is_whole_or_not_at_all) {
    bool killed = true;
    for (int steps = 0; killed; ++steps) {
        integration = IntegrationId::make(clock.now);
        killed = killed_at(steps, [&] {
            const auto prepared = prepare(k_old);
            (void)commit(prepared->seal.epoch);
        });
        const auto now = status();
        EXPECT_TRUE(!now.known || now.pending_epoch == 1 || now.epoch == 1) << steps;
        // Front, which may have lost the seal, prepares it anew.
        const auto again = connect(k_old);
        EXPECT_TRUE(unlock(again, k_old)) << steps;
    }
}

TEST_F(CrashTest, guess_that_was_killed_half_way_is_counted) {
    const auto seal = connect(k_old);
    for (int i = 0; i < 5; ++i) {
        // Step 1: the charge is stored, its answer is not yet known.
        EXPECT_TRUE(killed_at(1, [&] { (void)unlock(seal, k_new); }));
    }
    EXPECT_EQ(code_of(unlock(seal, k_old)), "too_many_attempts");
    clock.advance_s(60);
    EXPECT_TRUE(unlock(seal, k_old));
}

TEST_F(CrashTest, grant_use_that_was_killed_half_way_is_counted) {
    const auto seal = connect(k_old);
    const auto granted = grant(seal, k_old, k_send, 2);
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(killed_at(1, [&] { (void)mint(seal, {*granted}); }));
    EXPECT_EQ(code_of(mint(seal, {*granted})), "ceiling_reached");
}

}  // namespace
}  // namespace postern::vault
