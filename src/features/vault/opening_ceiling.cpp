#include "features/vault/opening_ceiling.h"

#include "foundation/base/clock.h"
#include "foundation/base/id.h"

#include <cstdint>
#include <utility>

namespace postern::vault {
namespace {

constexpr UnixMs k_minute_ms = 60'000;

}  // namespace

void OpeningCeiling::start_minute(UnixMs now) {
    const auto minute = now / k_minute_ms;
    if (minute == minute_) return;
    minute_ = minute;
    workspaces_.clear();
    handles_.clear();
}

OpeningCeiling::Verdict OpeningCeiling::refuse(Count& count, UnixMs now) const {
    const auto left_ms = (minute_ + 1) * k_minute_ms - now;
    return {(left_ms + 999) / 1000, !std::exchange(count.refused, true)};
}

OpeningCeiling::Verdict OpeningCeiling::charge(WorkspaceId workspace,
                                               std::uint64_t openings,
                                               UnixMs now) {
    start_minute(now);
    auto& all = workspaces_[workspace];
    if (all.openings + openings > k_workspace_per_minute) return refuse(all, now);
    all.openings += openings;
    return {};
}

OpeningCeiling::Verdict OpeningCeiling::charge(WorkspaceId workspace,
                                               std::uint64_t handle,
                                               std::uint64_t openings,
                                               UnixMs now) {
    start_minute(now);
    // Made-up handles beyond the bound share one count: they gain nothing.
    constexpr std::uint64_t k_shared = 0;
    const bool known = handles_.contains({workspace, handle}) || handles_.size() < k_handles_max;
    auto& own = handles_[{workspace, known ? handle : k_shared}];
    if (own.openings + openings > k_handle_per_minute) return refuse(own, now);
    const auto verdict = charge(workspace, openings, now);
    if (verdict.retry_after_s == 0) own.openings += openings;
    return verdict;
}

}  // namespace postern::vault
