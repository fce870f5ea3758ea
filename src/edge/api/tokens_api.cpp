#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Who = identity::Authorized<Permission::manage_tokens>;

constexpr std::size_t k_role_bytes_max = 32;

std::string token_json(TokenId id, identity::Role role, WorkspaceId workspace) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", id.text())
        .field("role", name_of(role))
        .field("workspace_id", workspace.text())
        .end_object();
    return json.take();
}

/// POST /v1/tokens {role}
Answer post_token(Call call, Who who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto role = identity::parse_role(body.text("role", k_role_bytes_max));
    body.finish();
    if (!role && errors.empty()) errors.push_back({"role", "invalid"});
    if (!role || !errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().identity.create_token(who.actor().workspace, *role);
    if (!made) co_return fail(std::move(made.error()));
    call.made(made->id);
    co_return json_response(
        201, with_secret(token_json(made->id, made->role, made->workspace), "token", made->text));
}

async::Task<std::optional<Response>> replay_token(Call call, identity::Actor actor) {
    auto all = co_await call.use().identity.tokens(actor.workspace);
    if (!all) co_return fail(std::move(all.error()));
    const auto wanted = call.reserved_id<TokenTag>();
    for (const auto& row : *all) {
        if (row.id != wanted) continue;
        auto json = token_json(row.id, row.role, row.workspace);
        co_return json_response(201, with_field(std::move(json), "secret_shown", "true"));
    }
    co_return std::optional<Response>();
}

/// GET /v1/tokens: no page has more than all of them; their number is bounded.
Answer get_tokens(Call call, Who who) {
    auto all = co_await call.use().identity.tokens(who.actor().workspace);
    if (!all) co_return fail(std::move(all.error()));
    std::vector<std::string> items;
    for (const auto& row : *all)
        items.push_back(token_json(row.id, row.role, row.workspace));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// DELETE /v1/tokens/{id}
Answer delete_token(Call call, Who who) {
    const auto id = path_id<TokenTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto deleted = co_await call.use().identity.delete_token(who.actor().workspace, *id);
    if (!deleted) co_return fail(std::move(deleted.error()));
    co_return no_content();
}

}  // namespace

void add_token_routes(Router& router) {
    router.add("POST", "/v1/tokens", guarded(post_token, replay_token, 201));
    router.add("GET", "/v1/tokens", guarded(get_tokens));
    router.add("DELETE", "/v1/tokens/{id}", guarded(delete_token));
}

}  // namespace postern::api
