#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "features/outreach/creators.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Read = identity::Authorized<Permission::read_history>;

constexpr char k_list = 'c';

std::string creator_json(const outreach::Creator& creator) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", creator.id.text())
        .field("name", creator.name)
        .field("address", creator.address)
        .field("created_at", rfc3339(creator.created_at_ms))
        .end_object();
    return json.take();
}

/// The one with this address, as a list of one or none.
Answer find_creator(Call call, identity::Actor actor, std::string address) {
    auto id = co_await call.use().creators.find(actor.workspace, std::move(address));
    if (!id) co_return fail(std::move(id.error()));
    const auto known = *id;
    const auto viewer = identity::viewer_of(actor);
    std::vector<std::string> items;
    if (known) {
        auto creator = co_await call.use().creators.get(viewer, *known, actor.handle);
        // Or whoever they are is known from threads that this viewer does not see.
        const bool is_seen = creator || !creator.error().is(outreach::OutreachError::not_found);
        if (is_seen && !creator) co_return fail(std::move(creator.error()));
        if (creator) items.push_back(creator_json(*creator));
    }
    co_return json_response(200, list_json(items, std::nullopt));
}

/// GET /v1/creators?address=&cursor=&limit=
Answer get_creators(Call call, Read who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    auto address = query.text("address", k_address_bytes_max);
    const auto limit = query.limit();
    const auto after = query.cursor_id<CreatorTag>(k_list);
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto actor = who.actor();
    if (address) {
        co_return co_await find_creator(std::move(call), actor, std::move(*address));
    }
    const auto viewer = identity::viewer_of(actor);
    auto creators = co_await call.use().creators.list(viewer, after, limit + 1, actor.handle);
    if (!creators) co_return fail(std::move(creators.error()));
    std::optional<std::string> next;
    if (creators->size() > static_cast<std::size_t>(limit)) {
        creators->pop_back();
        next = make_cursor(k_list, creators->back().id.bytes());
    }
    std::vector<std::string> items;
    for (const auto& creator : *creators)
        items.push_back(creator_json(creator));
    co_return json_response(200, list_json(items, next));
}

/// GET /v1/creators/{id}
Answer get_creator(Call call, Read who) {
    const auto id = path_id<CreatorTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto actor = who.actor();
    const auto viewer = identity::viewer_of(actor);
    auto creator = co_await call.use().creators.get(viewer, *id, actor.handle);
    if (!creator) co_return fail(std::move(creator.error()));
    co_return json_response(200, creator_json(*creator));
}

}  // namespace

void add_creator_routes(Router& router) {
    router.add("GET", "/v1/creators", Audited::nothing(), guarded(get_creators));
    router.add("GET", "/v1/creators/{id}", Audited::nothing(), guarded(get_creator));
}

}  // namespace postern::api
