#include "foundation/crypto/evolving_key.h"

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <set>

namespace postern::crypto {
namespace {

EvolvingKey fresh() {
    return EvolvingKey(Secret::copy_of(as_bytes("0123456789abcdef0123456789abcdef")));
}

TEST(EvolvingKey, each_step_has_a_key_of_its_own) {
    const auto key = fresh();
    std::set<Hash> macs;
    for (std::uint32_t step = 0; step < 20; ++step)
        macs.insert(key.mac(step, as_bytes("record")));
    EXPECT_EQ(macs.size(), 20U);
    EXPECT_NE(key.mac(3, as_bytes("record")), key.mac(3, as_bytes("recorD")));
}

TEST(EvolvingKey, who_has_moved_on_computes_the_same_as_who_has_not) {
    const auto first = fresh();
    auto moved = fresh();
    moved.move_to(7);
    EXPECT_EQ(moved.step(), 7U);
    EXPECT_EQ(moved.mac(7, as_bytes("x")), first.mac(7, as_bytes("x")));
    EXPECT_EQ(moved.mac(19, as_bytes("x")), first.mac(19, as_bytes("x")));
    moved.move_to(3);
    EXPECT_EQ(moved.step(), 7U) << "there is no way back";
}

TEST(EvolvingKeyDeathTest, step_that_is_past_is_never_computed) {
    auto key = fresh();
    key.move_to(2);
    EXPECT_DEATH((void)key.mac(1, as_bytes("x")), "at_step >= step_");
    EXPECT_DEATH((void)EvolvingKey().mac(0, as_bytes("x")), "empty");
}

}  // namespace
}  // namespace postern::crypto
