// Oracle: what is unpacked keeps to its bound, whatever was promised; what is packed comes back, a
// frame also with other bytes behind it.
#include "foundation/codec/compress.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/zstd_frame.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    constexpr std::size_t k_room = 4096;
    const FuzzInput input(data, size);
    if (const auto bytes = codec::decompress(input.bytes(), k_room))
        POSTERN_CHECK(bytes->size() <= k_room);
    const auto packed = codec::compress(input.bytes());
    POSTERN_CHECK(packed.size() <= input.bytes().size() + 1);
    const auto back = codec::decompress(packed, input.bytes().size());
    POSTERN_CHECK(back.has_value() && *back == to_bytes(input.bytes()));
    if (const auto bytes = codec::inflate_frame(input.bytes(), k_room))
        POSTERN_CHECK(bytes->size() <= k_room);
    auto frame = to_bytes(ByteView(packed).subspan(1));
    if (frame.size() > codec::k_zstd_magic.size() &&
        std::equal(codec::k_zstd_magic.begin(), codec::k_zstd_magic.end(), frame.begin()) &&
        frame.size() < input.bytes().size()) {
        frame.insert(frame.end(), input.bytes().begin(), input.bytes().end());
        const auto inflated = codec::inflate_frame(frame, input.bytes().size());
        POSTERN_CHECK(inflated.has_value() && *inflated == to_bytes(input.bytes()));
    }
    if (!input.bytes().empty()) POSTERN_CHECK(!codec::decompress(packed, input.bytes().size() - 1));
    return 0;
}
