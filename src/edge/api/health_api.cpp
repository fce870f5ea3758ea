#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/metrics.h"
#include "edge/api/router.h"
#include "edge/api/site.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"

#include <string_view>

namespace postern::api {
namespace {

void check(codec::JsonWriter& json, std::string_view name, bool good) {
    json.begin_object().field("name", name).field("good", good).end_object();
}

/// GET /readyz: 200 when requests can be worked on. A full disk is told, and is no reason to send
/// nobody here: reading, lock and cut-off work.
Answer get_readiness(Call call) {
    const auto& use = call.use();
    const auto body = [](store::Transaction&) -> Result<> { return {}; };
    const auto reads = co_await use.database.read(body);
    const bool keeper = use.keeper.attached();
    const bool courier = use.courier.attached();
    const bool ready = keeper && courier && reads.has_value();
    codec::JsonWriter json;
    json.begin_object().field("ready", ready).begin_array("checks");
    check(json, "keeper", keeper);
    check(json, "courier", courier);
    check(json, "store", reads.has_value());
    json.end_array();
    json.field("isolation", use.site.isolation.empty() ? "isolated" : "not isolated");
    if (!use.site.isolation.empty()) json.field("isolation_detail", use.site.isolation);
    json.field("audit", use.site.audit());
    json.field("version", use.site.version).end_object();
    co_return json_response(ready ? 200 : 503, json.take());
}

/// GET /metrics, for whoever is on this machine. The name is asked for, too: behind a proxy that
/// nobody declared, everybody seems to be here.
Answer get_metrics(Call call) {
    if (!call.request.peer.is_loopback || !is_loopback_host(call.request.host)) {
        co_return fail(ApiError::not_found);
    }
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = call.use().metrics.text();
    MetricsText more;
    more.family("postern_process_attached", "gauge", "Whether a process of ours is there.")
        .sample("postern_process_attached", "process=\"keeper\"", call.use().keeper.attached())
        .sample("postern_process_attached", "process=\"courier\"", call.use().courier.attached());
    response.body += more.take();
    co_return response;
}

/// GET /healthz. Usually answered before it comes here, without waiting for anything.
Answer get_health(Call) {
    return answer_with(net::http::text_response(200, "ok\n"));
}

}  // namespace

void add_health_routes(Router& router) {
    router.add("GET", "/healthz", Audited::nothing(), open_to_all(get_health));
    router.add("GET", "/readyz", Audited::nothing(), open_to_all(get_readiness));
    router.add("GET", "/metrics", Audited::nothing(), open_to_all(get_metrics));
}

}  // namespace postern::api
