#pragma once

#include "foundation/base/result.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/server.h"

#include <string>

namespace postern::store::postgres {

/// Connects to the first address that takes writes; blocks, a few seconds an address. Nothing of
/// the process's environment or home folder is used. Beyond this machine only TLS with a verified
/// certificate and name. `application` shows in the server's list of sessions.
/// Errors: unreachable, login_refused, not_found (no such database), unsuitable.
[[nodiscard]] Result<ConnectionHandle> log_in(const Libpq& pq,
                                              const Server& server,
                                              const std::string& application);

}  // namespace postern::store::postgres
