#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/pages.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/session_view.h"
#include "edge/api/site.h"
#include "features/identity/client.h"
#include "features/identity/identity_store.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_sign_in.h"
#include "features/identity/provider_store.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/fetch/fetch_protocol.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::LinkTag;
using identity::ProviderError;
using identity::ProviderSignIn;
using identity::ProviderTag;
using identity::SignInPurpose;

/// Providers add fields of their own to what they send back.
constexpr std::size_t k_callback_fields_max = 16;
constexpr std::size_t k_id_bytes_max = 64;

/// What is not known to an outsider is one page; nothing of what was sent is on it.
Response refusal(const Error& error, std::uint64_t request_id) {
    log(LogLevel::info, "provider_sign_in_refused",
        {{"request", request_id}, {"error", error}, LogField::sanitised("detail", error.detail())});
    if (error.is(ProviderError::not_found)) {
        return notice_page(404, "Sign-in", "There is no sign-in at this address.");
    }
    if (error.as<ProviderError>()) return notice_page(403, "Sign-in", error.text());
    if (error.as<fetch::FetchError>()) {
        return notice_page(502, "Sign-in",
                           "The identity provider could not be asked. Please try again later.");
    }
    const auto status = status_of_code(error.code());
    return notice_page(status == 0 ? 500 : status, "Sign-in",
                       "This cannot be done at the moment. Please try again.");
}

void keep_in_browser(Response& response, const identity::SentAway& away, const Call& call) {
    response.headers.emplace_back(
        "Set-Cookie", away_cookie(away.browser, call.request.secure, identity::k_away_s));
}

Response away_response(int status, const identity::SentAway& away, const Call& call) {
    codec::JsonWriter json;
    json.begin_object().field("url", away.url).end_object();
    auto response = json_response(status, json.take());
    keep_in_browser(response, away, call);
    return response;
}

/// GET /sign-in/oidc/{provider}: the address that a workspace gives its people.
Answer get_sign_in(Call call) {
    const auto id = identity::ProviderId::parse(call.parameter(0));
    if (!id) co_return refusal(Error(ProviderError::not_found), call.request.id);
    auto elsewhere = public_place(call.use().site, call.request);
    if (!elsewhere.empty()) {
        Response response;
        response.status = 302;
        response.headers.emplace_back("Location", std::move(elsewhere));
        co_return response;
    }
    auto place = callback_place(call.use().site, call.request);
    auto away = co_await call.use().provider_sign_in.begin(*id, std::move(place));
    if (!away) co_return refusal(away.error(), call.request.id);
    Response response;
    response.status = 302;
    response.headers.emplace_back("Location", away->url);
    keep_in_browser(response, *away, call);
    co_return response;
}

std::string take(Fields& fields, std::string_view name) {
    for (auto& [field, value] : fields) {
        if (field == name) return std::move(value);
    }
    return {};
}

std::optional<identity::CameBack> came_back(const Call& call) {
    auto fields = parse_form(call.request.query(), k_callback_fields_max);
    auto browser = away_cookie_of(call.request);
    if (!fields || !browser) return std::nullopt;
    identity::CameBack back;
    back.browser = std::move(*browser);
    back.state = take(*fields, "state");
    back.code = take(*fields, "code");
    back.issuer = take(*fields, "iss");
    back.has_error = std::any_of(fields->begin(), fields->end(),
                                 [](const auto& field) { return field.first == "error"; });
    back.redirect_uri = callback_place(call.use().site, call.request);
    back.client.address = call.request.peer.address.unmapped().text();
    back.client.device = identity::device_of(call.request.headers.find("User-Agent").value_or(""));
    if (back.code.size() > fetch::k_code_bytes_max) return std::nullopt;
    return back;
}

Response arrival_page(const identity::SignedIn& done, const Call& call) {
    if (done.purpose == SignInPurpose::link) {
        return arrived_page("Linked", "From now on your account there signs you in here.");
    }
    if (done.purpose == SignInPurpose::proof) {
        return arrived_page("Confirmed", "It is you. Go on with what you were about to do.");
    }
    auto response = done.session.needs_factor
                        ? arrived_page("Signed in", "Next: show your second factor.")
                        : arrived_page("Signed in", "You are signed in.");
    const auto left_ms = done.session.expires_at_ms - call.use().clock.now_ms();
    const auto age_s = std::max<std::int64_t>(left_ms / 1000, 0);
    response.headers.emplace_back("Set-Cookie",
                                  session_cookie(done.session.text, call.request.secure, age_s));
    return response;
}

/// GET /sign-in/oidc/callback. A browser that comes from another site sends no strict cookie, also
/// not with a redirect from here; the page that is answered leads on as a page of ours.
Answer get_callback(Call call) {
    auto back = came_back(call);
    if (!back) co_return refusal(Error(ProviderError::sign_in_unknown), call.request.id);
    auto done = co_await call.use().provider_sign_in.finish(std::move(*back));
    if (!done) co_return refusal(done.error(), call.request.id);
    auto response = arrival_page(*done, call);
    response.headers.emplace_back("Set-Cookie", ended_away_cookie(call.request.secure));
    co_return response;
}

/// GET /v1/me/provider-links
Answer get_links(Call call, ProviderSignIn::See who) {
    auto links = co_await call.use().provider_sign_in.links(who);
    if (!links) co_return fail(std::move(links.error()));
    std::vector<std::string> items;
    for (const auto& link : *links) {
        codec::JsonWriter json;
        json.begin_object()
            .field("id", link.row.id.text())
            .field("provider_id", link.row.provider.text())
            .field("provider_name", link.provider)
            .end_object();
        items.push_back(json.take());
    }
    co_return json_response(200, list_json(items, std::nullopt));
}

/// POST /v1/me/provider-links {provider_id} -> where the browser has to go
Answer post_link(Call call, ProviderSignIn::Mine who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto text = body.text("provider_id", k_id_bytes_max);
    body.finish();
    const auto id = identity::ProviderId::parse(text);
    if (errors.empty() && !id) errors.push_back({"provider_id", "invalid"});
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto place = callback_place(call.use().site, call.request);
    auto away = co_await call.use().provider_sign_in.begin_link(who, *id, std::move(place));
    if (!away) co_return fail(std::move(away.error()));
    co_return away_response(201, *away, call);
}

/// DELETE /v1/me/provider-links/{id}
Answer delete_link(Call call, ProviderSignIn::Mine who) {
    const auto id = path_id<LinkTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto deleted = co_await call.use().provider_sign_in.remove_link(who, *id);
    if (!deleted) co_return fail(std::move(deleted.error()));
    call.use().events.wake_all();
    co_return no_content();
}

/// POST /v1/sessions/current/provider-proof -> where the browser has to go
Answer post_provider_proof(Call call, ProviderSignIn::See who) {
    auto place = callback_place(call.use().site, call.request);
    auto away = co_await call.use().provider_sign_in.begin_proof(who, std::move(place));
    if (!away) co_return fail(std::move(away.error()));
    co_return away_response(200, *away, call);
}

}  // namespace

void add_provider_sign_in_routes(Router& router) {
    // Before the pattern that it fits, too.
    router.add("GET", "/sign-in/oidc/callback", Audited::in_change(), open_to_all(get_callback));
    router.add("GET", "/sign-in/oidc/{provider}", Audited::nothing(), open_to_all(get_sign_in));
    router.add("GET", "/v1/me/provider-links", Audited::nothing(), guarded(get_links));
    router.add("POST", "/v1/me/provider-links", Audited::in_change(), guarded(post_link));
    router.add("DELETE", "/v1/me/provider-links/{id}", Audited::in_change(), guarded(delete_link));
    router.add("POST", "/v1/sessions/current/provider-proof", Audited::in_change(),
               guarded(post_provider_proof));
}

}  // namespace postern::api
