#pragma once

#include "features/identity/identity_error.h"
#include "features/identity/policy.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

#include <cstdint>
#include <optional>

namespace postern::identity {

/// Who asks, in which workspace: a person through a session, or an API token.
struct Actor {
    WorkspaceId workspace;
    Role role = Role::reader;
    std::optional<PersonId> person;  ///< of a session
    std::optional<TokenId> token;    ///< of an API token
    crypto::Hash proof{};      ///< hash of what was shown: for asking again whether it is valid
    std::uint64_t handle = 0;  ///< names the session or token towards keeper's ceilings
};

/// Proof that the policy was asked and allowed it. Only check() makes one, so that an endpoint
/// which demands it cannot be called, and does not compile, without the question.
template <Permission permission>
class Authorized {
public:
    /// Errors: forbidden.
    [[nodiscard]] static Result<Authorized> check(Actor actor) {
        if (!allows(actor.role, permission)) return fail(IdentityError::forbidden);
        return Authorized(actor);
    }

    [[nodiscard]] const Actor& actor() const noexcept { return actor_; }

private:
    explicit Authorized(Actor actor) : actor_(actor) {}
    Actor actor_;
};

}  // namespace postern::identity
