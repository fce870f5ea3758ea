// Oracle: the same however the bytes arrive; what is found stands in the bytes as it is printed, in
// this order; no line has two.
#include "platform/audit/anchor_finder.h"

#include "foundation/base/check.h"
#include "platform/audit/anchor_line.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    if (size == 0) return 0;
    const std::size_t step = 1 + data[0];
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    audit::AnchorFinder whole;
    whole.take(text);
    whole.finish();
    audit::AnchorFinder pieces;
    for (std::size_t begin = 0; begin < text.size(); begin += step)
        pieces.take(text.substr(begin, step));
    pieces.finish();
    const auto found = whole.take_found();
    const auto again = pieces.take_found();
    POSTERN_CHECK(found.size() == again.size());
    POSTERN_CHECK(whole.lines() == pieces.lines() && whole.too_long() == pieces.too_long());
    POSTERN_CHECK(whole.broken() == pieces.broken());
    const auto breaks = std::ranges::count(text, '\n');
    POSTERN_CHECK(whole.lines() == breaks + (text.empty() || text.ends_with('\n') ? 0 : 1));
    std::size_t from = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto line = audit::line_of(found[i]);
        POSTERN_CHECK(line == audit::line_of(again[i]));
        from = text.find(line, from);
        POSTERN_CHECK(from != std::string_view::npos);
        from = std::min(text.find('\n', from), text.size());
    }
    POSTERN_CHECK(static_cast<std::int64_t>(found.size()) <= whole.lines() - whole.too_long());
    return 0;
}
