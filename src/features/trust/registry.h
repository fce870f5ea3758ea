#pragma once

#include "features/trust/claim.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <chrono>
#include <string>
#include <vector>

namespace postern::trust {

/// The claims of this installation. Proving one runs its positive control first: a check that does
/// not find a fault planted in front of it proves nothing, and its claim is unknown. A fault that
/// is gone a moment later was work under way, between two of its steps.
///
/// Executor: front's thread; one proof at a time. Lifetime: outlives its coroutines.
class Registry {
public:
    /// Lifetime: the clock outlives the registry. Ids are different from one another.
    /// `second_look`: after a fault was found.
    Registry(std::vector<Claim> claims,
             const Clock& clock,
             std::chrono::milliseconds second_look = std::chrono::seconds(2));

    [[nodiscard]] const std::vector<Claim>& claims() const noexcept { return claims_; }
    /// Errors: unknown_claim, already_proving. What a check could not do is a verdict, no error.
    async::Task<Proof> prove(std::string id);

private:
    async::Task<Proof> look(const Claim* claim);

    std::vector<Claim> claims_;
    const Clock& clock_;
    const std::chrono::milliseconds second_look_;
    bool proving_ = false;
};

}  // namespace postern::trust
