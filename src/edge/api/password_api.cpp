#include "edge/api/api_error.h"
#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/password_field.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;

/// POST /v1/me/password {current_password, new_password} -> a new cookie for this session
Answer post_password(Call call, identity::Authorized<Permission::see_workspace> who) {
    if (!who.actor().person) co_return fail(ApiError::token_not_allowed);
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::Identity::PasswordChange change;
    change.current = read_password(body, "current_password");
    change.next = read_password(body, "new_password");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto session = co_await call.use().identity.change_password(who.actor(), std::move(change));
    if (!session) co_return refuse_password(session.error(), "new_password", call.request.id);
    call.use().events.wake_all();
    codec::JsonWriter out;
    out.begin_object()
        .field("person_id", session->person.text())
        .field("expires_at", rfc3339(session->expires_at_ms))
        .end_object();
    auto response = json_response(200, out.take());
    const auto left_ms = session->expires_at_ms - call.use().clock.now_ms();
    const auto age_s = std::max<std::int64_t>(left_ms / 1000, 0);
    response.headers.emplace_back("Set-Cookie",
                                  session_cookie(session->text, call.request.secure, age_s));
    co_return response;
}

}  // namespace

void add_password_routes(Router& router) {
    router.add("POST", "/v1/me/password", guarded(post_password));
}

}  // namespace postern::api
