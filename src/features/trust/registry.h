#pragma once

#include "features/trust/claim.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"

#include <string>
#include <vector>

namespace postern::trust {

/// The claims of this installation. Proving one runs its positive control first: a check that does
/// not find a fault planted in front of it proves nothing, and its claim is unknown.
///
/// Executor: front's thread; one proof at a time. Lifetime: outlives its coroutines.
class Registry {
public:
    /// Lifetime: the clock outlives the registry. Ids are different from one another.
    Registry(std::vector<Claim> claims, const Clock& clock);

    [[nodiscard]] const std::vector<Claim>& claims() const noexcept { return claims_; }
    /// Errors: unknown_claim, already_proving. What a check could not do is a verdict, no error.
    async::Task<Proof> prove(std::string id);

private:
    async::Task<Proof> look(const Claim* claim);

    std::vector<Claim> claims_;
    const Clock& clock_;
    bool proving_ = false;
};

}  // namespace postern::trust
