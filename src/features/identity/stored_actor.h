#pragma once

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <optional>

/// Who asks, as the store knows them at this moment. Each function is part of the caller's
/// transaction.
namespace postern::identity {

struct SessionActor {
    Actor actor;
    UnixMs seen_at_ms = 0;  ///< of the session, before this
};
/// `wanted`: the workspace, nothing: the person's only one. Errors: unauthenticated, no_workspace,
/// workspace_needed.
Result<SessionActor> session_actor(store::Transaction& tx,
                                   const crypto::Hash& hash,
                                   std::optional<WorkspaceId> wanted,
                                   UnixMs now_ms,
                                   Unnamed unnamed = Unnamed::refused);
/// Of a token that is good.
[[nodiscard]] Actor actor_of(const TokenRow& row);
/// Whether session or token are still good for what they were. Errors: unauthenticated.
Result<> check_still(store::Transaction& tx, const Actor& actor, UnixMs now_ms);

}  // namespace postern::identity
