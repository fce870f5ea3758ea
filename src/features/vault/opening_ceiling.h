#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"

#include <cstdint>
#include <map>
#include <utility>

namespace postern::vault {

/// Bounds how fast stored data can be opened, whoever asks front for it: per session or job handle
/// and per workspace, by the minute.
///
/// Executor: one thread.
class OpeningCeiling {
public:
    static constexpr std::uint64_t k_handle_per_minute = 100'000;
    static constexpr std::uint64_t k_workspace_per_minute = 1'000'000;
    static constexpr std::size_t k_handles_max = 10'000;

    struct Verdict {
        std::int64_t retry_after_s = 0;  ///< 0: it may be opened
        bool first = false;              ///< the first refusal of this minute, to be logged
    };
    /// Counts `openings` unless it refuses.
    [[nodiscard]] Verdict charge(WorkspaceId workspace,
                                 std::uint64_t handle,
                                 std::uint64_t openings,
                                 UnixMs now);
    /// Without a handle: counted for the workspace alone.
    [[nodiscard]] Verdict charge(WorkspaceId workspace, std::uint64_t openings, UnixMs now);

private:
    struct Count {
        std::uint64_t openings = 0;
        bool refused = false;
    };
    void start_minute(UnixMs now);
    [[nodiscard]] Verdict refuse(Count& count, UnixMs now) const;

    std::int64_t minute_ = -1;
    std::map<WorkspaceId, Count> workspaces_;
    std::map<std::pair<WorkspaceId, std::uint64_t>, Count> handles_;
};

}  // namespace postern::vault
