#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "platform/async/task.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::trust {

enum class TrustError { unknown_claim, already_proving, fault_planted, out_of_sight };

constexpr ErrorInfo describe(TrustError error) {
    switch (error) {
        case TrustError::unknown_claim: return {"not_found", "There is no such claim."};
        case TrustError::already_proving:
            return {"busy", "The claims are being checked already. Please try again."};
        case TrustError::fault_planted:
            return {"internal_error", "A fault was planted and taken back."};
        case TrustError::out_of_sight:
            return {"out_of_sight", "What the claim is about cannot be seen from here."};
    }
    return {"not_found", "There is no such claim."};
}

/// What looking came to. Neither part ever holds personal data or a secret: both are published.
struct Finding {
    std::vector<std::string> evidence;  ///< what was looked at, with counts
    std::vector<std::string> faults;    ///< empty: the claim holds
};

/// `unknown`: the check could not run, or its positive control did not find what was planted, so
/// that a good result would mean nothing.
enum class Verdict : std::uint8_t { proven, failing, unknown };
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// A sentence about this installation that can be found false.
struct Claim {
    using Look = std::function<async::Task<Finding>()>;

    std::string_view id;       ///< "P1.sealed": the promise, and which part of it
    std::string_view text;     ///< the claim itself, for a buyer's security reviewer
    std::string_view method;   ///< what the check does
    std::string_view planted;  ///< the fault that the control plants, and the check has to find
    std::string_view cost;     ///< what a check takes

    Look check;
    /// The same check where a fault was planted, which is taken back: its finding must name faults.
    Look control;
};

struct Proof {
    std::string_view id;
    Verdict verdict = Verdict::unknown;
    Finding finding;
    std::string reason;  ///< why it is unknown
    UnixMs at_ms = 0;
    std::int64_t took_ms = 0;
};

}  // namespace postern::trust
