#pragma once

#include "edge/api/call.h"
#include "edge/api/limits.h"
#include "features/identity/actor.h"
#include "platform/net/http/response.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace postern::api {

/// One event as server-sent text: its number is the id to come back with.
[[nodiscard]] std::string event_text(const events::StoredEvent& event);

/// Events of the actor's workspace after `after`, as they come, until the client goes, the server
/// stops or the actor's token or session is no longer good: that is looked at whenever one was
/// ended here, before anything else is told, and every `recheck`.
[[nodiscard]] Response event_stream(std::shared_ptr<const Services> services,
                                    identity::Actor actor,
                                    std::int64_t after,
                                    std::chrono::milliseconds recheck = k_stream_recheck);

}  // namespace postern::api
