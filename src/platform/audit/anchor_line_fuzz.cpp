// Oracle: what is taken is printed as the very bytes it was.
#include "platform/audit/anchor_line.h"

#include "foundation/base/check.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto anchor = audit::parse_anchor(text);
    if (!anchor) return 0;
    POSTERN_CHECK(size <= audit::k_anchor_line_bytes_max);
    POSTERN_CHECK(anchor->number > 0 && anchor->at_ms >= 0);
    POSTERN_CHECK(anchor->mac.size() == 32 && anchor->record_mac.size() == 32);
    POSTERN_CHECK(audit::line_of(*anchor) == text);
    POSTERN_CHECK(text.find('\n') == std::string_view::npos);
    return 0;
}
