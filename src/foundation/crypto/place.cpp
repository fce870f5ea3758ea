#include "foundation/crypto/place.h"

#include "foundation/base/bytes.h"

#include <cstddef>
#include <cstdint>

namespace postern::crypto {

Bytes Place::canonical() const {
    constexpr std::uint8_t k_format = 1;
    Bytes out{'p', 't', 'n', k_format};
    const auto put = [&out](std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
    };
    out.insert(out.end(), workspace.raw().begin(), workspace.raw().end());
    put(column, 2);
    put(epoch, 8);
    put(row.size(), 4);
    out.insert(out.end(), row.begin(), row.end());
    return out;
}

}  // namespace postern::crypto
