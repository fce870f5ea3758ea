#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/postgres/session.h"

namespace postern::store::postgres {

/// Makes what was deleted vanish from the cluster's files. `rewrite` writes every table of the
/// store anew; either way the log up to now is cut off: a new file is begun, and a checkpoint drops
/// the ones before. Errors: busy, at once where an old snapshot would keep rows; not_permitted;
/// unsuitable where a setting would keep the log.
[[nodiscard]] Result<> purge(Session& session,
                             const ConnectionOptions& options,
                             Purge how,
                             Deadline deadline);

/// Reads every row and, with it, every page; where the extension amcheck is installed also every
/// index. Errors: corrupt.
[[nodiscard]] Result<> read_every_row(Session& session, StoreKind kind);

}  // namespace postern::store::postgres
