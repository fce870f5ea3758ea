#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/form_body.h"
#include "edge/api/limits.h"
#include "edge/api/pages.h"
#include "edge/api/password_field.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/site.h"
#include "features/identity/identity.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr std::size_t k_token_bytes_max = 100;

std::string created_json(const identity::NewToken& made) {
    codec::JsonWriter json;
    json.begin_object()
        .field("workspace_id", made.workspace.text())
        .field("role", name_of(made.role))
        .field("token_id", made.id.text())
        .end_object();
    return with_secret(json.take(), "token", made.text);
}

/// POST /v1/setup {token, workspace, email, password}
Answer post_setup(Call call) {
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::Identity::SetUp ask;
    ask.token = body.text("token", k_token_bytes_max);
    ask.workspace = body.text("workspace", identity::k_name_bytes_max);
    ask.email = body.text("email", k_address_bytes_max);
    ask.password = read_password(body, "password");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().identity.set_up(std::move(ask));
    if (!made) co_return refuse_password(made.error(), "password", call.request.id);
    co_return json_response(201, created_json(*made));
}

/// GET /setup?token=...: the form, where the link is still good.
Answer get_setup_page(Call call) {
    auto token = token_of_link(call);
    auto allowed = co_await call.use().identity.check_setup_token(token);
    if (!allowed) {
        co_return refused_page("Set-up", allowed.error());
    }
    co_return setup_form(200, token, {});
}

/// POST /setup: what the form sends. The answer shows the token, once.
Answer post_setup_page(Call call) {
    auto form = form_body(call);
    if (!form) co_return fail(std::move(form.error()));
    auto fields = std::move(*form);
    if (!fields) co_return notice_page(400, "Set-up", "The form could not be read.");
    identity::Identity::SetUp ask;
    auto password = take_field(*fields, "password");
    ask.password = Secret::take(password);
    ask.token = take_field(*fields, "token");
    ask.workspace = take_field(*fields, "workspace");
    ask.email = take_field(*fields, "email");
    const auto token = shown_token(ask.token);
    auto made = co_await call.use().identity.set_up(std::move(ask));
    if (!made) {
        co_return setup_form(page_status(made.error()), token, made.error().text());
    }
    co_return setup_finished(made->text);
}

/// GET /
Answer get_home_page(Call call) {
    return answer_with(home_page(call.use().site.version));
}

}  // namespace

void add_setup_routes(Router& router) {
    router.add("GET", "/", Audited::nothing(), open_to_all(get_home_page));
    router.add("GET", "/setup", Audited::nothing(), open_to_all(get_setup_page));
    router.add("POST", "/setup", Audited::in_change(), open_to_all(post_setup_page));
    router.add("POST", "/v1/setup", Audited::in_change(), open_to_all(post_setup));
}

}  // namespace postern::api
