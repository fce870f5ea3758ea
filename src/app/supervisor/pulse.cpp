#include "app/supervisor/pulse.h"

#include "app/supervisor/roles.h"

#include <chrono>

namespace postern::app::supervisor {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_patience_with_keeper{8'000};
/// Nothing that has to be over soon waits for these: courier, too, is ended by a cut-off at once.
constexpr milliseconds k_patience{20'000};
/// A timer that fires so late says that we did not run ourselves.
constexpr milliseconds k_late{500};

}  // namespace

milliseconds patience_with(Role role) {
    return role == Role::keeper ? k_patience_with_keeper : k_patience;
}

bool Pulse::unanswered(Time sent, Time now) {
    if (now - sent > k_ping_time + k_late) {
        silence_ = {};
        return false;
    }
    silence_ += k_ping_time;
    return silence_ >= patience_;
}

}  // namespace postern::app::supervisor
