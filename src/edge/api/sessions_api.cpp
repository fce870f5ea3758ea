#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using Mine = identity::Authorized<identity::Permission::see_own_sign_in>;

std::string session_json(const identity::Session& session) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", session.id.text())
        .field("created_at", rfc3339(session.created_at_ms))
        .field("seen_at", rfc3339(session.seen_at_ms))
        .field("expires_at", rfc3339(session.expires_at_ms))
        .field("address", session.client.address)
        .field("device", session.client.device)
        .field("is_current", session.is_current)
        .end_object();
    return json.take();
}

/// GET /v1/sessions
Answer get_sessions(Call call, Mine who) {
    auto mine = co_await call.use().identity.sessions(who);
    if (!mine) co_return fail(std::move(mine.error()));
    std::vector<std::string> items;
    for (const auto& session : *mine)
        items.push_back(session_json(session));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// DELETE /v1/sessions/{id}
Answer delete_one(Call call, Mine who) {
    const auto id = path_id<SessionTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto ended = co_await call.use().identity.end_session(who, *id);
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    co_return no_content();
}

/// DELETE /v1/sessions: all but this one
Answer delete_others(Call call, Mine who) {
    auto ended = co_await call.use().identity.end_other_sessions(who);
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    co_return no_content();
}

}  // namespace

void add_sessions_routes(Router& router) {
    router.add("GET", "/v1/sessions", Audited::nothing(), guarded(get_sessions));
    router.add("DELETE", "/v1/sessions", Audited::in_change(), guarded(delete_others));
    router.add("DELETE", "/v1/sessions/{id}", Audited::in_change(), guarded(delete_one));
}

}  // namespace postern::api
