#include "edge/api/api.h"

#include "edge/api/api_error.h"
#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/idempotency.h"
#include "edge/api/limits.h"
#include "edge/api/problem.h"
#include "edge/api/refusal_log.h"
#include "edge/api/router.h"
#include "edge/api/services.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/record.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using std::chrono::steady_clock;

struct Api {
    explicit Api(Services given) : services(std::make_shared<const Services>(given)) {
        std::vector<std::string> names;
        for (const auto& route : router.routes())
            names.push_back(route.method + " " + route.pattern);
        services->metrics.set_routes(std::move(names));
    }

    std::shared_ptr<const Services> services;
    Router router = make_router();
    Idempotency idempotency;
    RefusalLog refusals;
};

bool is_page(std::string_view path) {
    return path == "/" || path == "/setup" || path.starts_with("/sign-in/");
}

Answer refuse_method(const std::string& allowed, std::uint64_t request_id) {
    auto response = problem_of(Error(ApiError::method_not_allowed), request_id);
    response.headers.emplace_back("Allow", allowed);
    return answer_with(std::move(response));
}

/// Below /v1 nobody learns what exists before saying who they are.
bool is_open(const Match& match, std::string_view path) {
    if (match.route != nullptr) return !match.route->endpoint.permission.has_value();
    return !path.starts_with("/v1/");
}

/// Who opened what, before it leaves.
async::Task<> note_opening(std::shared_ptr<const Services> services,
                           identity::Actor actor,
                           PublicText action,
                           std::vector<std::string> parameters) {
    audit::Act act{identity::by(actor), action, {}};
    for (auto& parameter : parameters) {
        const auto name = act.about.empty() ? PublicText("object_id") : PublicText("part_id");
        act.about.push_back({name, std::move(parameter)});
    }
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    co_return co_await services->audit.record(actor.workspace, std::move(act), nothing);
}

Answer run_endpoint(std::shared_ptr<Api> api, Request request, Match match) {
    identity::Actor actor;
    if (!is_open(match, request.path())) {
        auto credentials = credentials_of(request);
        if (match.route != nullptr) credentials.unnamed = match.route->endpoint.unnamed;
        auto known = co_await authenticate(api->services, std::move(credentials));
        if (!known) co_return fail(std::move(known.error()));
        actor = *known;
    }
    if (match.route == nullptr) {
        if (match.allowed.empty()) co_return fail(ApiError::not_found);
        co_return co_await refuse_method(match.allowed, request.id);
    }
    const auto& endpoint = match.route->endpoint;
    if (endpoint.permission) {
        auto admitted = identity::admit(actor, *endpoint.permission);
        if (!admitted) {
            api->refusals.note(actor, *endpoint.permission, match.route->method,
                               match.route->pattern, admitted.error(),
                               api->services->clock.now_ms());
            co_return fail(std::move(admitted.error()));
        }
    }
    const auto fresh = MessageId::make(api->services->clock.now_ms());
    Call call;
    call.request = std::move(request);
    call.parameters = std::move(match.parameters);
    call.services = api->services;
    call.record = std::make_shared<Record>();
    call.record->reserved = fresh.raw();
    if (endpoint.replay != nullptr) {
        co_return co_await api->idempotency.run(std::move(call), actor, endpoint);
    }
    const auto opened = call.parameters;
    auto answer = co_await endpoint.run(std::move(call), actor);
    const auto& action = match.route->audited.action();
    if (!action || !answer || answer->status >= 300) co_return std::move(answer);
    auto noted = co_await note_opening(api->services, actor, *action, opened);
    if (!noted) co_return fail(std::move(noted.error()));
    co_return std::move(answer);
}

/// Redirects and refusals that need nothing but the head.
std::optional<Response> answer_at_the_door(const Api& api, const Request& request) {
    if (!is_our_host(api.services->site, request.host)) {
        return problem_of(Error(ApiError::misdirected), request.id);
    }
    if (!is_page(request.path())) return std::nullopt;
    auto place = page_redirect(request);
    if (place.empty()) return std::nullopt;
    Response response;
    response.status = 307;
    response.headers.emplace_back("Location", std::move(place));
    return response;
}

boost::asio::awaitable<Response> handle(std::shared_ptr<Api> api, Request request) {
    const auto begun = steady_clock::now();
    api->refusals.settle(api->services->clock.now_ms());
    const auto id = request.id;
    const bool is_secure = request.secure;
    auto match = api->router.find(request.method, request.path());
    const auto route = match.index;
    auto at_the_door = answer_at_the_door(*api, request);
    Result<Response> answer{};
    if (at_the_door) {
        answer = std::move(*at_the_door);
    } else {
        answer = co_await run_endpoint(api, std::move(request), std::move(match));
    }
    auto response = answer ? std::move(*answer) : problem_of(answer.error(), id);
    add_security_headers(response, is_secure);
    const auto took = steady_clock::now() - begun;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    api->services->metrics.count(route, response.status, static_cast<std::uint64_t>(micros));
    co_return response;
}

/// GET /healthz: that the process answers, nothing else.
std::optional<Response> answer_fast(const Request& request) {
    if (request.target != "/healthz" || request.method != "GET") return std::nullopt;
    Response response;
    response.content_type = "text/plain";
    response.body = "ok\n";
    return response;
}

bool carries_a_mail(std::string_view path) {
    return path == "/v1/threads" || path.ends_with("/messages");
}

Response server_refusal(int status, std::string_view code, const std::string& incident) {
    Problem problem;
    problem.status = status;
    problem.code = code;
    problem.detail = status == 500 ? "Something went wrong on our side."
                                   : "The request could not be read or is over a limit.";
    problem.instance = incident;
    auto response = problem_response(problem);
    add_security_headers(response, false);
    return response;
}

}  // namespace

Router make_router() {
    Router router;
    add_health_routes(router);
    add_setup_routes(router);
    add_session_routes(router);
    add_sessions_routes(router);
    add_factor_routes(router);
    add_passkey_routes(router);
    add_workspace_routes(router);
    add_password_routes(router);
    add_token_routes(router);
    add_people_routes(router);
    add_invitation_routes(router);
    add_password_reset_routes(router);
    add_provider_routes(router);
    add_provider_sign_in_routes(router);
    add_catalogue_routes(router);
    add_integration_routes(router);
    add_integration_act_routes(router);
    add_discover_routes(router);
    add_thread_routes(router);
    add_private_thread_routes(router);
    add_message_routes(router);
    add_creator_routes(router);
    add_evidence_routes(router);
    add_event_routes(router);
    add_audit_routes(router);
    return router;
}

net::http::Handlers make_handlers(Services services) {
    const auto api = std::make_shared<Api>(services);
    net::http::Handlers handlers;
    handlers.handle = [api](Request request) { return handle(api, std::move(request)); };
    handlers.fast = answer_fast;
    handlers.body_limit = [](std::string_view, std::string_view path) {
        return carries_a_mail(path) ? k_mail_body_bytes_max : k_body_bytes_max;
    };
    handlers.error_answer = server_refusal;
    return handlers;
}

}  // namespace postern::api
