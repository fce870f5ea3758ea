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
#include "features/identity/actor.h"
#include "features/identity/password_resets.h"
#include "features/identity/policy.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using Reset = identity::Authorized<identity::Permission::reset_passwords>;

constexpr std::string_view k_title = "New password";
constexpr std::string_view k_page = "/reset";

/// POST /v1/password-resets {email}: a link by mail, if somebody has this address
Answer post_reset(Call call) {
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto email = body.text("email", k_address_bytes_max);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto page = page_url(call.use().site, call.request, k_page);
    auto from = caller_address(call);
    auto asked = co_await call.use().resets.ask(std::move(email), std::move(page), std::move(from));
    if (!asked) co_return fail(std::move(asked.error()));
    Response response;
    response.status = 202;
    co_return response;
}

/// POST /v1/people/{id}/password-reset: by mail, else the link is answered
Answer post_reset_for(Call call, Reset who) {
    const auto id = path_id<PersonTag>(call, 0);
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    if (!id) co_return fail(id.error());
    auto page = page_url(call.use().site, call.request, k_page);
    auto link = co_await call.use().resets.ask_for(who, *id, std::move(page));
    if (!link) co_return fail(std::move(link.error()));
    codec::JsonWriter json;
    json.begin_object().field("delivery", *link ? "link" : "mail").end_object();
    auto text = json.take();
    if (*link) text = with_secret(std::move(text), "link", **link);
    co_return json_response(201, std::move(text));
}

/// POST /v1/password-resets/use {token, password}
Answer post_use(Call call) {
    std::vector<codec::FieldError> errors;
    auto given = link_body(call, errors);
    if (!given) co_return fail(std::move(given.error()));
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto from = caller_address(call);
    auto used = co_await call.use().resets.use(std::move(given->token), std::move(given->password),
                                               std::move(from));
    if (!used) co_return refuse_password(used.error(), "password", call.request.id);
    call.use().events.wake_all();
    co_return no_content();
}

/// GET /reset?token=...: the form, where the link is still good
Answer get_reset_page(Call call) {
    auto token = token_of_link(call);
    auto good = co_await call.use().resets.look_at(token);
    if (!good) co_return refused_page(k_title, good.error());
    co_return reset_form(200, token, {});
}

/// POST /reset: what the form sends
Answer post_reset_page(Call call) {
    auto form = link_form(call);
    if (!form) co_return fail(std::move(form.error()));
    auto given = std::move(*form);
    if (!given) co_return notice_page(400, k_title, "The form could not be read.");
    const auto token = given->token;
    auto good = co_await call.use().resets.look_at(token);
    if (!good) co_return refused_page(k_title, good.error());
    auto from = caller_address(call);
    auto used = co_await call.use().resets.use(token, std::move(given->password), std::move(from));
    if (!used) {
        co_return reset_form(page_status(used.error()), token, used.error().text());
    }
    call.use().events.wake_all();
    co_return notice_page(200, "Your password is changed",
                          "Every session of yours has ended. Sign in with the new one.");
}

}  // namespace

void add_password_reset_routes(Router& router) {
    router.add("POST", "/v1/password-resets", Audited::in_change(), open_to_all(post_reset));
    router.add("POST", "/v1/password-resets/use", Audited::in_change(), open_to_all(post_use));
    router.add("POST", "/v1/people/{id}/password-reset", Audited::in_change(),
               guarded(post_reset_for));
    router.add("GET", "/reset", Audited::nothing(), open_to_all(get_reset_page));
    router.add("POST", "/reset", Audited::in_change(), open_to_all(post_reset_page));
}

}  // namespace postern::api
