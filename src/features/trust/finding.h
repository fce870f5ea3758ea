#pragma once

#include "features/trust/claim.h"
#include "foundation/base/clock.h"

#include <chrono>
#include <string>
#include <utility>

namespace postern::trust {

/// For what keeper is asked: Argon2 with the configured cost, perhaps behind others.
[[nodiscard]] inline Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// One thing that was looked at, in the words for either outcome.
inline void add(Finding& finding, bool good, std::string evidence, std::string fault) {
    if (good) finding.evidence.push_back(std::move(evidence));
    if (!good) finding.faults.push_back(std::move(fault));
}

}  // namespace postern::trust
