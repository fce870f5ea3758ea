#pragma once

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/store/transaction.h"

#include <optional>
#include <vector>

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

/// A factor that was added now.
struct NewlyCounted {
    bool had_one = false;  ///< before it was
    std::vector<crypto::Hash> recovery_codes;
};
/// The session has shown it. True where these recovery codes count from now on: it is the person's
/// first factor. Errors: those of prove_session().
Result<bool> show_new_factor(store::Transaction& tx,
                             const Actor& actor,
                             const NewlyCounted& added,
                             UnixMs now_ms);

/// A session that is not stored yet: what was shown, and how long it lasts, is its maker's to say.
struct BegunSession {
    Bearer bearer;
    SessionRow row;
    ClientNews news;
};
async::Task<BegunSession> begin_session(
    Identity* identity, ipc::Link* keeper, PersonId person, Client client, UnixMs now_ms);
/// What is over goes, and the oldest where there are as many as there may be; the person is told
/// where it began in a new place. Errors: invalid_credentials, of somebody who works nowhere now.
Result<> store_begun(store::Transaction& tx, const SessionRow& row, const ClientNews& news);

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
