#include "foundation/codec/compress.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>

namespace postern::codec {
namespace {

Bytes noise(std::size_t size) {
    Bytes out(size);
    std::uint32_t state = 12345;
    for (auto& byte : out) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::uint8_t>(state >> 24);
    }
    return out;
}

TEST(Compress, round_trips_text_noise_and_nothing) {
    for (const auto& data :
         {Bytes{}, Bytes{0}, to_bytes(std::string(100'000, 'a')), noise(5000), noise(100'000)}) {
        const auto packed = compress(data);
        EXPECT_EQ(decompress(packed, data.size()), data);
    }
}

TEST(Compress, shrinks_text_and_leaves_noise_alone) {
    EXPECT_LT(compress(to_bytes(std::string(100'000, 'a'))).size(), 1000U);
    EXPECT_EQ(compress(noise(100'000)).size(), 100'001U);
}

TEST(Compress, refuses_bombs_and_damage) {
    const auto packed = compress(to_bytes(std::string(100'000, 'a')));
    EXPECT_TRUE(decompress(packed, 99'999).error().is(CompressError::too_large));
    EXPECT_TRUE(decompress({}, 10).error().is(CompressError::damaged));
    EXPECT_TRUE(decompress(Bytes{7, 1}, 10).error().is(CompressError::damaged));
    for (std::size_t size = 1; size < packed.size(); ++size) {
        EXPECT_FALSE(decompress(ByteView(packed).first(size), 1 << 20).has_value()) << size;
    }
}

}  // namespace
}  // namespace postern::codec
