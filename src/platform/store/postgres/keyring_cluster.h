#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/postgres/session.h"

namespace postern::store::postgres {

/// Whether what is destroyed in this cluster can be gone: no archive, no recycled or kept log
/// files, no replication slots, nobody who is sent the log, no parameters in the server's own log,
/// and the rights to prove it.
/// Errors: unsuitable; its detail says what to change.
[[nodiscard]] Result<> check_keyring_cluster(Session& session);

/// Waits until no snapshot is left that is older than this call: VACUUM would keep rows for it.
/// Errors: busy.
[[nodiscard]] Result<> wait_for_older_snapshots(Session& session, Deadline deadline);

}  // namespace postern::store::postgres
