#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/pages.h"
#include "edge/api/password_field.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/site.h"
#include "features/identity/identity.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr std::size_t k_token_bytes_max = 100;
/// A password of 1,000 bytes with every one escaped, and the rest.
constexpr std::size_t k_form_bytes_max = 8UL * 1024;
constexpr std::size_t k_form_fields_max = 4;

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

std::string take(Fields& fields, std::string_view name) {
    for (auto& [field, value] : fields) {
        if (field == name) return std::move(value);
    }
    return {};
}

/// Only what a token looks like is written back into a page.
std::string shown_token(std::string_view token) {
    const bool good =
        token.size() <= k_token_bytes_max && std::all_of(token.begin(), token.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        });
    return good ? std::string(token) : std::string();
}

/// GET /setup?token=...: the form, where the link is still good.
Answer get_setup_page(Call call) {
    auto fields = parse_form(call.request.query(), k_form_fields_max);
    auto token = fields ? shown_token(take(*fields, "token")) : std::string();
    auto allowed = co_await call.use().identity.check_setup_token(token);
    if (!allowed) {
        const auto status = status_of_code(allowed.error().code());
        co_return notice_page(status == 0 ? 500 : status, "Set-up", allowed.error().text());
    }
    co_return setup_form(200, token, {});
}

bool is_form(const Request& request) {
    const auto type = request.headers.find("Content-Type").value_or("");
    return net::http::equal_ignoring_case(type.substr(0, type.find(';')),
                                          "application/x-www-form-urlencoded");
}

/// POST /setup: what the form sends. The answer shows the token, once.
Answer post_setup_page(Call call) {
    if (!is_form(call.request)) co_return fail(ApiError::unsupported_media_type);
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    const auto& bytes = call.request.body;
    std::optional<Fields> fields;
    if (bytes.size() <= k_form_bytes_max) {
        fields = parse_form(as_text({bytes.data(), bytes.size()}), k_form_fields_max);
    }
    if (!fields) co_return notice_page(400, "Set-up", "The form could not be read.");
    identity::Identity::SetUp ask;
    auto password = take(*fields, "password");
    ask.password = Secret::take(password);
    ask.token = take(*fields, "token");
    ask.workspace = take(*fields, "workspace");
    ask.email = take(*fields, "email");
    const auto token = shown_token(ask.token);
    auto made = co_await call.use().identity.set_up(std::move(ask));
    if (!made) {
        const auto status = status_of_code(made.error().code());
        co_return setup_form(status == 0 ? 500 : status, token, made.error().text());
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
