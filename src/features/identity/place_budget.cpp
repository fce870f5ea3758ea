#include "features/identity/place_budget.h"

#include "foundation/base/clock.h"

#include <cstdint>
#include <string>

namespace postern::identity {

std::string PlaceBudget::counted_as(const std::string& place) const {
    if (taken_at_.size() < k_places_max || taken_at_.contains(place)) return place;
    auto wider = place.substr(0, place.size() * 2 / 3);
    if (taken_at_.size() < 2 * k_places_max || taken_at_.contains(wider)) return wider;
    return {};
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
    --taken_;
    // What was not wrong takes up no room.
    if (--found->second == 0) taken_at_.erase(found);
}

bool PlaceBudget::is_spent(const std::string& place) const {
    const auto found = taken_at_.find(counted_as(place));
    return found != taken_at_.end() && found->second >= limits_.at_place;
}

}  // namespace postern::identity
