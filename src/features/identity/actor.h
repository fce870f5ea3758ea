#pragma once

#include "features/identity/identity_error.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/net/ip_address.h"
#include "platform/private_threads/viewer.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace postern::identity {

/// Who asks, in which workspace: a person through a session, or an API token.
struct Actor {
    WorkspaceId workspace;
    Role role = Role::reader;
    Standing standing = Standing::whole;
    bool is_fresh = true;            ///< within k_fresh_s of a proof; of a session
    Scopes scopes;                   ///< in the place of a fresh proof; of an API token
    std::optional<PersonId> person;  ///< of a session
    std::optional<TokenId> token;    ///< of an API token
    std::optional<PersonId> maker;   ///< whose token it is; nothing: the host's
    crypto::Hash proof{};      ///< hash of what was shown: for asking again whether it is valid
    std::uint64_t handle = 0;  ///< names the session or token towards keeper's ceilings
    std::optional<net::IpAddress> from;  ///< where they are
};

/// Of private threads a session sees its person's, a token those of the person whose it is.
[[nodiscard]] inline private_threads::Viewer viewer_of(const Actor& actor) {
    return {actor.workspace, actor.person ? actor.person : actor.maker};
}

/// The one gate. Errors: second_factor_needed, second_factor_enrolment_needed, person_needed,
/// forbidden, scope_needed, fresh_proof_needed.
[[nodiscard]] inline Result<> admit(const Actor& actor, Permission permission) {
    if (!is_open_in(actor.standing, permission)) {
        return fail(actor.standing == Standing::needs_factor
                        ? IdentityError::second_factor_needed
                        : IdentityError::second_factor_enrolment_needed);
    }
    if (is_a_persons(permission) && !actor.person) return fail(IdentityError::person_needed);
    if (!allows(actor.role, permission)) return fail(IdentityError::forbidden);
    if (!needs_fresh_proof(permission)) return {};
    if (actor.token && !actor.scopes.allow(permission)) return fail(IdentityError::scope_needed);
    if (!actor.is_fresh) return fail(IdentityError::fresh_proof_needed);
    return {};
}

/// Nobody gives a role more than they may do themselves; a token, what it has a scope for.
[[nodiscard]] inline bool may_give(const Actor& actor, Role role) {
    return std::ranges::all_of(k_permissions, [&](Permission permission) {
        if (!allows(role, permission)) return true;
        if (!allows(actor.role, permission)) return false;
        const bool is_weighty = needs_fresh_proof(permission) && !is_a_persons(permission);
        return !actor.token || !is_weighty || actor.scopes.allow(permission);
    });
}

/// Proof that the policy was asked and allowed it. Only check() makes one, so that an endpoint
/// which demands it cannot be called, and does not compile, without the question.
template <Permission permission>
class Authorized {
public:
    /// Errors: those of admit().
    [[nodiscard]] static Result<Authorized> check(Actor actor) {
        if (auto admitted = admit(actor, permission); !admitted) {
            return fail(std::move(admitted.error()));
        }
        return Authorized(actor);
    }

    [[nodiscard]] const Actor& actor() const noexcept { return actor_; }

private:
    explicit Authorized(Actor actor) : actor_(actor) {}
    Actor actor_;
};

}  // namespace postern::identity
