#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::audit {

/// How far a workspace's record had come at some time, as it stands at a second place.
struct Anchor {
    WorkspaceId workspace;
    std::int64_t number = 0;  ///< of the newest record
    Bytes record_mac;
    UnixMs at_ms = 0;
    Bytes mac;  ///< keeper's, over all of it
};

inline constexpr std::size_t k_anchor_line_bytes_max = 256;

/// "postern-anchor-1 wks_... 42 MAC 1764300000000 MAC", without a line break.
[[nodiscard]] std::string line_of(const Anchor& anchor);
/// Only what line_of() writes. Nothing: it is no anchor.
[[nodiscard]] std::optional<Anchor> parse_anchor(std::string_view line);

}  // namespace postern::audit
