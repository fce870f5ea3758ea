#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/audit/anchor_line.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {

using Anchored = std::map<WorkspaceId, std::vector<Anchor>>;

/// The lines of a second place by workspace, in their order. Adds to `faults` what is no anchor.
[[nodiscard]] Anchored read_anchors(std::string_view text, std::vector<std::string>& faults);

/// What one workspace's record is, as far as anchors ask.
struct ChainFacts {
    std::int64_t base = 0;               ///< the last one that went because of its age
    std::int64_t newest = 0;             ///< 0: none
    std::map<std::int64_t, Bytes> macs;  ///< of those that are there, by number
};
/// Each of them, in their order.
[[nodiscard]] std::vector<std::int64_t> numbers_of(const std::vector<Anchor>& anchors);
/// What keeper's own anchors say and is not so.
[[nodiscard]] std::vector<std::string> judge_anchors(WorkspaceId workspace,
                                                     const std::vector<Anchor>& anchors,
                                                     const ChainFacts& chain);

/// What was written to the second place, as the store remembers it, and is not there.
[[nodiscard]] std::vector<std::string> judge_memory(const std::vector<Anchor>& kept,
                                                    const Anchored& anchored);

/// Told in full up to so many; what is one fault shows soon.
inline constexpr std::size_t k_anchor_faults_max = 20;

}  // namespace postern::audit
