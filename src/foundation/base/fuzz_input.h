#pragma once

#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

/// A fuzzer's bytes, taken apart from the front: choices first, then what is to be parsed.
/// Oracles are POSTERN_CHECK, which is always on.
class FuzzInput {
public:
    static constexpr std::size_t k_bytes_max = 64U << 10U;

    FuzzInput(const std::uint8_t* data, std::size_t size)
        : left_(data, std::min(size, k_bytes_max)) {}

    /// 0 once nothing is left.
    std::uint8_t byte() {
        if (left_.empty()) return 0;
        const auto first = left_.front();
        left_ = left_.subspan(1);
        return first;
    }
    /// Up to the next line end, which goes too.
    std::string_view line() {
        const auto all = as_text(left_);
        const auto end = std::min(all.find('\n'), all.size());
        left_ = left_.subspan(std::min(end + 1, left_.size()));
        return all.substr(0, end);
    }
    [[nodiscard]] ByteView bytes() const { return left_; }
    [[nodiscard]] std::string_view text() const { return as_text(left_); }

private:
    ByteView left_;
};

}  // namespace postern
