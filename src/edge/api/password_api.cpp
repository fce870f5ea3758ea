#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/password_field.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/session_view.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <utility>
#include <vector>

namespace postern::api {
namespace {

/// POST /v1/me/password {current_password, new_password} -> a new cookie for this session
Answer post_password(Call call,
                     identity::Authorized<identity::Permission::change_own_password> who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::Identity::PasswordChange change;
    change.current = read_password(body, "current_password");
    change.next = read_password(body, "new_password");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto session = co_await call.use().identity.change_password(who, std::move(change));
    if (!session) co_return refuse_password(session.error(), "new_password", call.request.id);
    call.use().events.wake_all();
    co_return session_response(200, *session, call);
}

}  // namespace

void add_password_routes(Router& router) {
    router.add("POST", "/v1/me/password", Audited::in_change(), guarded(post_password));
}

}  // namespace postern::api
