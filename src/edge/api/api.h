#pragma once

#include "edge/api/services.h"
#include "platform/net/http/server.h"

namespace postern::api {

/// What the server is given: the API, the pages that need no console, health and metrics.
/// Executor: front's thread. Lifetime: the services outlive the server.
[[nodiscard]] net::http::Handlers make_handlers(Services services);

}  // namespace postern::api
