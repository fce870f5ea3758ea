#include "foundation/codec/zstd_frame.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/compress.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>

namespace postern::codec {
namespace {

/// Without the byte in front that compress() puts there.
Bytes frame_of(const Bytes& content) {
    const auto packed = compress(content);
    return {packed.begin() + 1, packed.end()};
}

TEST(ZstdFrame, is_inflated_whatever_follows_it) {
    const Bytes content(10'000, 'a');
    auto frame = frame_of(content);
    EXPECT_TRUE(std::ranges::equal(k_zstd_magic, ByteView(frame).first(4)));
    EXPECT_EQ(inflate_frame(frame, content.size()), content);
    frame.insert(frame.end(), 100, 0x7f);
    EXPECT_EQ(inflate_frame(frame, content.size()), content);
}

TEST(ZstdFrame, that_is_damaged_cut_short_or_too_large_is_refused) {
    const auto frame = frame_of(Bytes(10'000, 'a'));
    EXPECT_TRUE(inflate_frame(frame, 9'999).error().is(CompressError::too_large));
    for (std::size_t size = 0; size < frame.size(); ++size)
        EXPECT_TRUE(
            inflate_frame(ByteView(frame).first(size), 10'000).error().is(CompressError::damaged))
            << size;
    EXPECT_FALSE(inflate_frame(to_bytes("no frame at all"), 10'000));
}

}  // namespace
}  // namespace postern::codec
