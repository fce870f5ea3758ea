#include "foundation/crypto/place.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/crypto/crypto_vectors_test.h"

#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace postern::crypto {
namespace {

WorkspaceId workspace(std::uint8_t first) {
    std::array<std::uint8_t, 16> id{};
    id[0] = first;
    return WorkspaceId(id);
}

TEST(Place, canonical_form_is_frozen) {
    EXPECT_EQ(test_place().canonical(), from_hex("70746e01"
                                                 "07000000000000000000000000000000"
                                                 "2a00"
                                                 "0900000000000000"
                                                 "03000000"
                                                 "010203"));
}

TEST(Place, two_places_never_have_the_same_bytes) {
    const std::vector<Place> places = {
        {workspace(1), 1, {}, 0},        {workspace(2), 1, {}, 0},
        {workspace(1), 2, {}, 0},        {workspace(1), 256, {}, 0},
        {workspace(1), 1, {}, 1},        {workspace(1), 1, {}, std::uint64_t{1} << 63U},
        {workspace(1), 1, {0}, 0},       {workspace(1), 1, {0, 0}, 0},
        {workspace(1), 1, {1, 0, 0}, 0}, {workspace(1), 1, {1}, 0},
        {workspace(1), 1, {0, 1}, 0},    {workspace(1), 1, {1, 1}, 0},
    };
    std::set<Bytes> seen;
    for (const auto& place : places)
        EXPECT_TRUE(seen.insert(place.canonical()).second);
}

TEST(Place, row_key_joins_ids_in_order) {
    std::array<std::uint8_t, 16> a{};
    std::array<std::uint8_t, 16> b{};
    a[15] = 1;
    b[0] = 2;
    const auto row = row_key(ThreadId(a), MessageId(b));
    ASSERT_EQ(row.size(), 32U);
    EXPECT_EQ(row[15], 1);
    EXPECT_EQ(row[16], 2);
    EXPECT_NE(row, row_key(ThreadId(b), MessageId(a)));
}

}  // namespace
}  // namespace postern::crypto
