#pragma once

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/identity.h"
#include "features/identity/identity_store.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <optional>

namespace postern::identity {

/// What was shown now.
struct Shown {
    bool password = false;
    bool factor = false;
};

/// The actor's session has shown it, and what was guessed of this person's codes is forgotten. A
/// session that becomes whole lasts as long as any other one, and where `other` is given it goes on
/// under that hash. Errors: unauthenticated, when it is gone.
Result<SessionRow> prove_session(store::Transaction& tx,
                                 const Actor& actor,
                                 Shown shown,
                                 const std::optional<crypto::Hash>& other,
                                 UnixMs now_ms);

/// Another text for a session that becomes whole, so that none which was seen before is worth more
/// afterwards.
class SessionText {
public:
    explicit SessionText(const Actor& actor);

    [[nodiscard]] std::optional<crypto::Hash> hash() const;
    /// An empty text: it stays the one it was.
    [[nodiscard]] NewSession session(const SessionRow& row);

private:
    std::optional<Bearer> fresh_;
};

}  // namespace postern::identity
