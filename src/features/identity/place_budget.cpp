#include "features/identity/place_budget.h"

#include "foundation/base/clock.h"

#include <cstdint>
#include <string>

namespace postern::identity {

const std::string& PlaceBudget::counted_as(const std::string& place) const {
    static const std::string others;
    if (taken_at_.size() < k_places_max || taken_at_.contains(place)) return place;
    return others;
}

std::int64_t PlaceBudget::take(const std::string& place, UnixMs now_ms) {
    const auto stretch_ms = limits_.stretch_s * 1000;
    // Also after a clock that was set back.
    if (now_ms < began_ms_ || now_ms - began_ms_ >= stretch_ms) {
        began_ms_ = now_ms;
        taken_ = 0;
        taken_at_.clear();
    }
    auto& here = taken_at_[counted_as(place)];
    if (here >= limits_.at_place || taken_ >= limits_.in_all) {
        return (stretch_ms - (now_ms - began_ms_) + 999) / 1000;
    }
    ++here;
    ++taken_;
    return 0;
}

void PlaceBudget::give_back(const std::string& place, UnixMs taken_ms) {
    if (taken_ms < began_ms_) return;
    const auto found = taken_at_.find(counted_as(place));
    if (found == taken_at_.end() || found->second == 0) return;
    --found->second;
    --taken_;
}

bool PlaceBudget::is_spent(const std::string& place) const {
    const auto found = taken_at_.find(counted_as(place));
    return found != taken_at_.end() && found->second >= limits_.at_place;
}

}  // namespace postern::identity
