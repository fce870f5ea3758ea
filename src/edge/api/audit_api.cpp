#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/audit/audit_log.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr char k_list = 'a';

std::string record_json(const audit::Record& record) {
    codec::JsonWriter json;
    json.begin_object()
        .field("number", record.number)
        .field("at", rfc3339(record.at_ms))
        .field("action", record.action);
    if (record.from.empty()) {
        json.null_field("from");
    } else {
        json.field("from", record.from);
    }
    json.raw_field("facts", record.facts).end_object();
    return json.take();
}

/// GET /v1/audit: who did what. Newest first.
Answer get_audit(Call call, identity::Authorized<identity::Permission::see_audit> who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto limit = query.limit();
    const auto before = number_at(query.cursor(k_list, k_number_bytes));
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto records = co_await call.use().audit.list(who.actor().workspace, before, limit + 1);
    if (!records) co_return fail(std::move(records.error()));
    std::optional<std::string> next;
    if (records->size() > static_cast<std::size_t>(limit)) {
        records->pop_back();
        next = make_cursor(k_list, number_position(records->back().number));
    }
    std::vector<std::string> items;
    for (const auto& record : *records)
        items.push_back(record_json(record));
    co_return json_response(200, list_json(items, next));
}

}  // namespace

void add_audit_routes(Router& router) {
    router.add("GET", "/v1/audit", Audited::nothing(), guarded(get_audit));
}

}  // namespace postern::api
