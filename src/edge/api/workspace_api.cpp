#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using See = identity::Authorized<identity::Permission::see_workspace>;
using Manage = identity::Authorized<identity::Permission::manage_workspace>;

constexpr std::size_t k_time_bytes_max = 40;

Response workspace_response(const identity::Workspace& workspace) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", workspace.id.text())
        .field("name", workspace.name)
        .field("is_demo", workspace.is_demo);
    if (workspace.factors_from_ms == 0) {
        json.null_field("second_factor_from");
    } else {
        json.field("second_factor_from", rfc3339(workspace.factors_from_ms));
    }
    json.end_object();
    return json_response(200, json.take());
}

/// Readers take it for a field that is not there.
bool says_null(const codec::Json& json, std::string_view name) {
    const auto* fields = json.fields();
    return fields != nullptr && std::ranges::any_of(*fields, [name](const auto& field) {
               return field.first == name && field.second.is_null();
           });
}

/// GET /v1/workspace
Answer get_workspace(Call call, See who) {
    auto found = co_await call.use().identity.workspace(who.actor().workspace);
    if (!found) co_return fail(std::move(found.error()));
    co_return workspace_response(*found);
}

/// PATCH /v1/workspace {second_factor_from: time or null}
Answer patch_workspace(Call call, Manage who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const bool is_null = says_null(*json, "second_factor_from");
    const auto text = is_null ? body.optional_text("second_factor_from", k_time_bytes_max)
                              : body.text("second_factor_from", k_time_bytes_max);
    body.finish();
    const auto from = is_null ? std::optional<UnixMs>(0) : parse_rfc3339(text.value_or(""));
    if (errors.empty() && (!from || *from < 0 || (*from == 0 && !is_null))) {
        errors.push_back({"second_factor_from", "invalid"});
    }
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto& identity = call.use().identity;
    auto stored =
        co_await identity.demand_factors(who.actor().workspace, *from, identity::by(who.actor()));
    if (!stored) co_return fail(std::move(stored.error()));
    call.use().events.wake_all();
    auto found = co_await identity.workspace(who.actor().workspace);
    if (!found) co_return fail(std::move(found.error()));
    co_return workspace_response(*found);
}

}  // namespace

void add_workspace_routes(Router& router) {
    router.add("GET", "/v1/workspace", Audited::nothing(), guarded(get_workspace));
    router.add("PATCH", "/v1/workspace", Audited::in_change(), guarded(patch_workspace));
}

}  // namespace postern::api
