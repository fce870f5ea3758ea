#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/passkey_body.h"
#include "edge/api/problem.h"
#include "edge/api/relying_party.h"
#include "edge/api/router.h"
#include "edge/api/session_view.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/passkeys.h"
#include "features/identity/password_rules.h"
#include "features/identity/policy.h"
#include "features/identity/second_factors.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <optional>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using Self = identity::Authorized<identity::Permission::see_self>;

/// POST /v1/sessions {email, password} -> a cookie that no script can read
Answer post_session(Call call) {
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto email = body.text("email", k_address_bytes_max);
    auto password = body.secret("password", identity::k_password_bytes_max, true);
    body.finish();
    if (password && !password->boxed.empty()) errors.push_back({"password", "wrong_type"});
    if (!password || !errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto client = client_of(call);
    auto session = co_await call.use().identity.sign_in(
        std::move(email), std::move(password->clear), std::move(client));
    if (!session) co_return fail(std::move(session.error()));
    co_return session_response(201, *session, call);
}

Answer show_passkey(Call call, Self who, identity::ShownPasskey passkey) {
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    auto shown = co_await call.use().passkeys.show(who, std::move(passkey), std::move(*party));
    if (!shown) co_return fail(std::move(shown.error()));
    co_return session_response(200, *shown, call);
}

/// POST /v1/sessions/current/proof {code} or {password} or {passkey}
Answer post_proof(Call call, Self who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto code = body.optional_text("code", identity::k_code_bytes_max);
    auto password = body.secret("password", identity::k_password_bytes_max, false);
    std::optional<identity::ShownPasskey> passkey;
    if (body.value("passkey", false) != nullptr)
        passkey = read_shown_passkey(body, "passkey", errors);
    body.finish();
    if (password && !password->boxed.empty()) errors.push_back({"password", "wrong_type"});
    const int given = (code ? 1 : 0) + (password ? 1 : 0) + (passkey ? 1 : 0);
    if (errors.empty() && given > 1)
        errors.push_back({passkey ? "passkey" : "password", "unknown_field"});
    if (errors.empty() && given == 0) errors.push_back({"code", "missing"});
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (passkey) co_return co_await show_passkey(std::move(call), who, std::move(*passkey));
    auto& factors = call.use().factors;
    if (password) {
        auto shown = co_await factors.show_password(who, std::move(password->clear));
        if (!shown) co_return fail(std::move(shown.error()));
        co_return session_response(200, *shown, call);
    }
    auto shown = co_await factors.show_code(who, std::move(*code));
    if (!shown) co_return fail(std::move(shown.error()));
    co_return session_response(200, *shown, call);
}

/// DELETE /v1/sessions/current
Answer delete_session(Call call, Self who) {
    if (!who.actor().person) co_return fail(ApiError::session_needed);
    auto ended = co_await call.use().identity.sign_out(who.actor());
    if (!ended) co_return fail(std::move(ended.error()));
    call.use().events.wake_all();
    auto response = no_content();
    response.headers.emplace_back("Set-Cookie", ended_session_cookie(call.request.secure));
    co_return response;
}

/// GET /v1/me
Answer get_me(Call call, Self who) {
    const auto actor = who.actor();
    auto me = co_await call.use().identity.me(actor);
    if (!me) co_return fail(std::move(me.error()));
    codec::JsonWriter json;
    json.begin_object();
    // A password alone does not tell of what else there is.
    if (actor.standing != identity::Standing::needs_factor) {
        json.begin_object("workspace")
            .field("id", me->workspace.id.text())
            .field("name", me->workspace.name)
            .field("is_demo", me->workspace.is_demo)
            .end_object();
    }
    json.field("role", identity::name_of(actor.role)).field("standing", name_of(actor.standing));
    if (actor.person) {
        json.field("person_id", actor.person->text()).field("email", me->email);
        json.field("is_fresh", actor.is_fresh);
    }
    if (actor.token) json.field("token_id", actor.token->text());
    json.end_object();
    co_return json_response(200, json.take());
}

}  // namespace

void add_session_routes(Router& router) {
    router.add("POST", "/v1/sessions", Audited::in_change(), open_to_all(post_session));
    router.add("POST", "/v1/sessions/current/proof", Audited::in_change(),
               in_any_workspace(guarded(post_proof)));
    router.add("DELETE", "/v1/sessions/current", Audited::in_change(),
               in_any_workspace(guarded(delete_session)));
    router.add("GET", "/v1/me", Audited::nothing(), in_any_workspace(guarded(get_me)));
}

}  // namespace postern::api
