#include "features/identity/throttle.h"

#include <algorithm>
#include <cstdint>

namespace postern::identity {

std::int64_t pause_after_attempt_s(std::int64_t number) {
    if (number < k_free_attempts) return 0;
    const auto doublings = std::min<std::int64_t>(number - k_free_attempts, 20);
    return std::min(k_pause_first_s << doublings, k_pause_max_s);
}

}  // namespace postern::identity
