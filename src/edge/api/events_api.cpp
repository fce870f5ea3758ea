#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/request_conditions.h"
#include "edge/api/router.h"
#include "edge/api/sse.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;

/// GET /v1/events. A browser that reconnects says where it was in Last-Event-ID.
Answer stream_events(Call call, identity::Authorized<Permission::see_workspace> who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    auto after = query.number("after", 0, std::numeric_limits<std::int64_t>::max());
    query.finish();
    if (const auto last = call.request.headers.find("Last-Event-ID"); last && !last->empty()) {
        after = parse_event_id(*last);
        if (!after) errors.push_back({"Last-Event-ID", "invalid"});
    }
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto workspace = who.actor().workspace;
    if (call.use().metrics.streams() >= k_streams_max ||
        call.use().metrics.streams_of(workspace) >= k_workspace_streams_max) {
        co_return fail(ApiError::too_many_streams);
    }
    // Asked before the answer begins: whoever has the answer's head misses nothing after it.
    auto newest = co_await call.use().events.newest(workspace);
    if (!newest) co_return fail(std::move(newest.error()));
    // Ahead of everything, as after a store that was restored: what comes would never be told.
    after = std::min(after.value_or(*newest), *newest);
    co_return event_stream(call.services, who.actor(), *after);
}

}  // namespace

void add_event_routes(Router& router) {
    router.add("GET", "/v1/events", Audited::nothing(), guarded(stream_events));
}

}  // namespace postern::api
