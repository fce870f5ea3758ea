#pragma once

#include "platform/audit/anchor_line.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {

/// Finds anchors in the lines of a log, which come in pieces: each stands somewhere in a line,
/// behind what a log server puts there, and perhaps before more.
class AnchorFinder {
public:
    /// Longer lines are counted and not looked at.
    static constexpr std::size_t k_line_bytes_max = 8192;
    /// Told in full up to so many.
    static constexpr std::size_t k_broken_max = 20;

    void take(std::string_view bytes);
    /// What came last may have no line break.
    void finish();

    /// Those found since the last call, in their order.
    [[nodiscard]] std::vector<Anchor> take_found();
    [[nodiscard]] std::int64_t lines() const noexcept { return lines_; }
    [[nodiscard]] std::int64_t too_long() const noexcept { return too_long_; }
    /// Numbers of lines that begin an anchor which is none.
    [[nodiscard]] const std::vector<std::int64_t>& broken() const noexcept { return broken_; }

private:
    void end_line();

    std::string line_;  ///< as far as it has come
    bool is_long_ = false;
    std::int64_t lines_ = 0;
    std::int64_t too_long_ = 0;
    std::vector<std::int64_t> broken_;
    std::vector<Anchor> found_;
};

}  // namespace postern::audit
