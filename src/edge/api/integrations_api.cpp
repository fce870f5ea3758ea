#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/integration_body.h"
#include "edge/api/integration_view.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/request_conditions.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/policy.h"
#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using See = identity::Authorized<Permission::see_integrations>;
using Manage = identity::Authorized<Permission::manage_integrations>;

constexpr char k_list = 'i';
constexpr std::int64_t k_idle_s_max = 3650LL * 86400;

Response integration_response(const Call& call, int status, const integrations::View& view) {
    auto response = json_response(status, integration_json(view, call.use().clock.now_ms()));
    response.headers.emplace_back("ETag", etag_of(view));
    return response;
}

/// 422 with the first failed check's code, and every failed check by name.
Response refused_checks(const Call& call, const std::vector<mail::Check>& checks) {
    const Error error(ApiError::verification_failed);
    Problem problem;
    problem.status = 422;
    problem.code = error.code();
    problem.detail = error.text();
    problem.instance = net::http::request_id_text(call.request.id);
    for (const auto& check : checks) {
        if (check.good) continue;
        if (problem.errors.empty() && !check.code.empty()) problem.code = check.code;
        problem.errors.push_back({check.name, check.code, check.text});
    }
    return problem_response(problem);
}

/// Of connect and reconnect: the view, the secret where one was generated, what stops and when.
Response connected_response(const Call& call,
                            int status,
                            const integrations::View& view,
                            const integrations::Connected& connected) {
    auto response = integration_response(call, status, view);
    response.body = with_field(std::move(response.body), "notices", notices_json(view));
    if (connected.not_granted) {
        response.body = with_field(std::move(response.body), "keep_working_refused",
                                   refusal_json(*connected.not_granted));
    }
    response.body =
        with_generated(std::move(response.body), connected.generated, connected.generated_shares);
    return response;
}

bool generates(const Call& call) {
    const auto json = json_body(call);
    if (!json || json->fields() == nullptr) return false;
    const auto& fields = *json->fields();
    return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
        return field.first == "generate" && field.second.boolean().value_or(false);
    });
}

/// POST /v1/integrations
Answer post_integration(Call call, Manage who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    auto body = read_connect(*json, errors);
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (body.is_empty_secret) co_return fail(keys::KeyError::weak_secret);
    body.ask.id = call.reserved_id<IntegrationTag>();
    body.ask.by = identity::by(who.actor());
    auto connected =
        co_await call.use().integrations.connect(who.actor().workspace, std::move(body.ask));
    if (!connected) co_return fail(std::move(connected.error()));
    const auto view = std::exchange(connected->view, std::nullopt);
    if (!view) co_return refused_checks(call, connected->checks);
    call.made(view->integration.id);
    co_return connected_response(call, 201, *view, *connected);
}

/// POST /v1/integrations/{id}/reconnect
Answer post_reconnect(Call call, Manage who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    auto body = read_reconnect(*json, errors);
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (body.is_empty_secret) co_return fail(keys::KeyError::weak_secret);
    body.ask.by = identity::by(who.actor());
    auto connected =
        co_await call.use().integrations.reconnect(who.actor().workspace, *id, std::move(body.ask));
    if (!connected) co_return fail(std::move(connected.error()));
    const auto view = std::exchange(connected->view, std::nullopt);
    if (!view) co_return refused_checks(call, connected->checks);
    call.made(*id);
    co_return connected_response(call, 200, *view, *connected);
}

/// Of both: the integration as it is now, without the secret that was shown.
async::Task<std::optional<Response>> replay_integration(Call call, identity::Actor actor) {
    auto view =
        co_await call.use().integrations.get(actor.workspace, call.reserved_id<IntegrationTag>());
    if (!view && view.error().is(integrations::IntegrationError::not_found)) {
        co_return std::optional<Response>();
    }
    if (!view) co_return fail(std::move(view.error()));
    auto response = integration_response(call, 200, *view);
    if (generates(call)) {
        response.body = with_field(std::move(response.body), "secret_shown", "true");
    }
    co_return response;
}

/// GET /v1/integrations
Answer get_integrations(Call call, See who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto limit = query.limit();
    const auto after = query.cursor_id<IntegrationTag>(k_list);
    const auto idle_for = query.duration_s("idle_for", 0, k_idle_s_max);
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto workspace = who.actor().workspace;
    auto& integrations = call.use().integrations;
    Result<std::vector<integrations::View>> views;
    if (idle_for) {
        views = co_await integrations.list_idle(workspace, after, *idle_for, limit + 1);
    } else {
        views = co_await integrations.list(workspace, after, limit + 1);
    }
    if (!views) co_return fail(std::move(views.error()));
    std::optional<std::string> next;
    if (views->size() > static_cast<std::size_t>(limit)) {
        views->pop_back();
        next = make_cursor(k_list, views->back().integration.id.bytes());
    }
    std::vector<std::string> items;
    for (const auto& view : *views)
        items.push_back(integration_json(view, call.use().clock.now_ms()));
    co_return json_response(200, list_json(items, next));
}

/// GET /v1/integrations/{id}
Answer get_integration(Call call, See who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto view = co_await call.use().integrations.get(who.actor().workspace, *id);
    if (!view) co_return fail(std::move(view.error()));
    co_return integration_response(call, 200, *view);
}

/// PATCH /v1/integrations/{id} {name}
Answer patch_integration(Call call, Manage who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto name = body.text("name", k_name_bytes_max);
    const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (errors.empty() && (name.empty() || has_control)) body.wrong("name", "invalid");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto workspace = who.actor().workspace;
    const auto found = call.request.headers.find("If-Match");
    const std::string wanted(found.value_or("*"));
    const auto is_current = [wanted](const integrations::View& view) {
        return if_match_permits(wanted, etag_of(view));
    };
    auto by = identity::by(who.actor());
    auto renamed = co_await call.use().integrations.rename(std::move(by), workspace, *id,
                                                           std::move(name), is_current);
    if (!renamed) co_return fail(std::move(renamed.error()));
    auto after = co_await call.use().integrations.get(workspace, *id);
    if (!after) co_return fail(std::move(after.error()));
    co_return integration_response(call, 200, *after);
}

}  // namespace

void add_integration_routes(Router& router) {
    router.add("POST", "/v1/integrations", Audited::in_change(),
               guarded(post_integration, replay_integration, 201));
    router.add("GET", "/v1/integrations", Audited::nothing(), guarded(get_integrations));
    router.add("GET", "/v1/integrations/{id}", Audited::nothing(), guarded(get_integration));
    router.add("PATCH", "/v1/integrations/{id}", Audited::in_change(), guarded(patch_integration));
    router.add("POST", "/v1/integrations/{id}/reconnect", Audited::in_change(),
               guarded(post_reconnect, replay_integration, 200));
}

}  // namespace postern::api
