#include "edge/api/audited.h"
#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/people_view.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/token_view.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/names.h"
#include "features/identity/people.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using See = identity::People::See;
using Manage = identity::People::Manage;
using Join = identity::People::Join;
using Leave = identity::Authorized<identity::Permission::leave_workspace>;
using Access = identity::Authorized<identity::Permission::see_access>;
using OwnSignIn = identity::Authorized<identity::Permission::see_own_sign_in>;

constexpr std::size_t k_word_bytes_max = 64;
constexpr std::int64_t k_day_s = 86'400;

std::string place_json(const identity::Workspace& workspace, identity::Role role) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", workspace.id.text())
        .field("name", workspace.name)
        .field("is_demo", workspace.is_demo)
        .field("role", name_of(role))
        .end_object();
    return json.take();
}

/// GET /v1/people
Answer get_people(Call call, See who) {
    auto people = co_await call.use().people.list(who);
    if (!people) co_return fail(std::move(people.error()));
    std::vector<std::string> items;
    for (const auto& person : *people)
        items.push_back(person_json(person, who.actor()));
    co_return json_response(200, list_json(items, std::nullopt));
}

identity::People::Change read_change(codec::ObjectReader& body) {
    identity::People::Change change;
    if (const auto role = body.optional_text("role", k_word_bytes_max)) {
        change.role = identity::parse_role(*role);
        if (!change.role) body.wrong("role", "invalid");
    }
    if (const auto state = body.optional_text("state", k_word_bytes_max)) {
        change.is_suspended = *state == "suspended";
        if (*state != "suspended" && *state != "active") body.wrong("state", "invalid");
    }
    return change;
}

/// PATCH /v1/people/{id} {role?, state?}
Answer patch_person(Call call, Manage who) {
    const auto id = path_id<PersonTag>(call, 0);
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto change = read_change(body);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (!id) co_return fail(id.error());
    auto changed = co_await call.use().people.change(who, *id, change);
    if (!changed) co_return fail(std::move(changed.error()));
    call.use().events.wake_all();
    co_return json_response(200, person_json(*changed, who.actor()));
}

/// DELETE /v1/people/{id}: their place here
Answer delete_person(Call call, Manage who) {
    const auto id = path_id<PersonTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto ended = co_await call.use().people.end(who, *id);
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    co_return no_content();
}

/// DELETE /v1/people/sessions
Answer delete_all_sessions(Call call, Manage who) {
    auto ended = co_await call.use().people.end_all_sessions(who);
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    co_return no_content();
}

/// DELETE /v1/people/{id}/sessions
Answer delete_sessions(Call call, Manage who) {
    const auto id = path_id<PersonTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto ended = co_await call.use().people.end_sessions(who, *id);
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    co_return no_content();
}

/// POST /v1/me/leave
Answer post_leave(Call call, Leave who) {
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    auto left = co_await call.use().people.leave(who);
    if (!left) co_return fail(std::move(left.error()));
    call.use().events.wake_all();
    auto response = no_content();
    response.headers.emplace_back("Set-Cookie", ended_session_cookie(call.request.secure));
    co_return response;
}

/// GET /v1/me/workspaces
Answer get_own_workspaces(Call call, OwnSignIn who) {
    auto places = co_await call.use().people.places(*who.actor().person);
    if (!places) co_return fail(std::move(places.error()));
    std::vector<std::string> items;
    for (const auto& place : *places)
        items.push_back(place_json(place.workspace, place.role));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// POST /v1/workspaces {name}
Answer post_workspace(Call call, Join who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto name = body.text("name", identity::k_name_bytes_max);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().people.create_workspace(who, std::move(name));
    if (!made) co_return fail(std::move(made.error()));
    co_return json_response(201, place_json(*made, identity::Role::owner));
}

/// With how many private threads they see.
std::string reviewed_json(const identity::Member& person,
                          const identity::Actor& actor,
                          const std::map<PersonId, std::int64_t>& private_threads) {
    const auto found = private_threads.find(person.id);
    const auto count = found == private_threads.end() ? 0 : found->second;
    return with_field(person_json(person, actor), "private_threads", std::to_string(count));
}

std::string report_json(const identity::AccessReport& report,
                        const std::vector<identity::Identity::Token>& tokens,
                        const std::map<PersonId, std::int64_t>& private_threads,
                        const identity::Actor& actor) {
    codec::JsonWriter json;
    json.begin_object();
    if (report.reviewed_at_ms == 0) {
        json.null_field("reviewed_at");
    } else {
        json.field("reviewed_at", rfc3339(report.reviewed_at_ms));
    }
    json.field("review_due_at", rfc3339(report.due_at_ms)).begin_array("people");
    for (const auto& person : report.people)
        json.raw_item(reviewed_json(person, actor, private_threads));
    json.end_array().begin_array("past");
    for (const auto& past : report.past)
        json.raw_item(past_json(past));
    json.end_array().begin_array("invitations");
    for (const auto& invitation : report.invitations)
        json.raw_item(invitation_json(invitation));
    json.end_array().begin_array("tokens");
    for (const auto& token : tokens)
        json.raw_item(token_json(token));
    json.end_array().begin_object("roles");
    for (const auto role : identity::k_roles) {
        json.begin_array(name_of(role));
        for (const auto permission : identity::k_permissions) {
            if (identity::allows(role, permission)) json.item(name_of(permission));
        }
        json.end_array();
    }
    json.end_object().end_object();
    return json.take();
}

/// GET /v1/access-review?within=P30D: who has access to what, and who had
Answer get_access(Call call, Access who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto within = query.duration_s("within", k_day_s, 400 * k_day_s).value_or(30 * k_day_s);
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto since = call.use().clock.now_ms() - within * 1000;
    auto report = co_await call.use().people.access(who, since);
    if (!report) co_return fail(std::move(report.error()));
    auto tokens = co_await call.use().identity.tokens(who.actor().workspace);
    if (!tokens) co_return fail(std::move(tokens.error()));
    auto counts = co_await call.use().private_threads.count_by_person(who.actor().workspace);
    if (!counts) co_return fail(std::move(counts.error()));
    co_return json_response(200, report_json(*report, *tokens, *counts, who.actor()));
}

/// POST /v1/access-review: everybody who is listed should be
Answer post_access(Call call, Manage who) {
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    auto noted = co_await call.use().people.confirm_access(who);
    if (!noted) co_return fail(std::move(noted.error()));
    co_return no_content();
}

}  // namespace

void add_people_routes(Router& router) {
    router.add("GET", "/v1/people", Audited::nothing(), guarded(get_people));
    router.add("PATCH", "/v1/people/{id}", Audited::in_change(), guarded(patch_person));
    router.add("DELETE", "/v1/people/{id}", Audited::in_change(), guarded(delete_person));
    router.add("DELETE", "/v1/people/sessions", Audited::in_change(), guarded(delete_all_sessions));
    router.add("DELETE", "/v1/people/{id}/sessions", Audited::in_change(),
               guarded(delete_sessions));
    router.add("POST", "/v1/me/leave", Audited::in_change(), guarded(post_leave));
    router.add("GET", "/v1/me/workspaces", Audited::nothing(),
               in_any_workspace(guarded(get_own_workspaces)));
    router.add("POST", "/v1/workspaces", Audited::in_change(),
               in_any_workspace(guarded(post_workspace)));
    router.add("GET", "/v1/access-review", Audited::nothing(), guarded(get_access));
    router.add("POST", "/v1/access-review", Audited::in_change(), guarded(post_access));
}

}  // namespace postern::api
