#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "features/integrations/receipt_text.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;

constexpr char k_list = 'l';

/// GET /v1/receipts/{id}
Answer get_receipt(Call call, identity::Authorized<Permission::see_receipts> who) {
    const auto id = path_id<ReceiptTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto receipt = co_await call.use().integrations.receipt(who.actor().workspace, *id);
    if (!receipt) co_return fail(std::move(receipt.error()));
    co_return json_response(200, integrations::receipt_json(*receipt, true));
}

/// GET /v1/integrations/{id}/read-ledger: what was asked of the mailbox, and why. Newest first.
Answer get_read_ledger(Call call, identity::Authorized<Permission::see_read_ledger> who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto limit = query.limit();
    const auto before = number_at(query.cursor(k_list, k_number_bytes));
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto lines =
        co_await call.use().mail.read_ledger(who.actor().workspace, *id, before, limit + 1);
    if (!lines) co_return fail(std::move(lines.error()));
    if (lines->empty()) {
        const auto known = co_await call.use().integrations.describe(who.actor().workspace, *id);
        if (!known) co_return fail(known.error());
    }
    std::optional<std::string> next;
    if (lines->size() > static_cast<std::size_t>(limit)) {
        lines->pop_back();
        next = make_cursor(k_list, number_position(lines->back().number));
    }
    std::vector<std::string> items;
    for (const auto& line : *lines) {
        codec::JsonWriter json;
        json.begin_object()
            .field("number", line.number)
            .field("at", rfc3339(line.at_ms))
            .field("command", line.command)
            .field("first_uid", line.first_uid)
            .field("next_uid", line.next_uid)
            .field("bytes", line.bytes)
            .field("reason", line.reason)
            .end_object();
        items.push_back(json.take());
    }
    co_return json_response(200, list_json(items, next));
}

}  // namespace

void add_evidence_routes(Router& router) {
    router.add("GET", "/v1/receipts/{id}", Audited::nothing(), guarded(get_receipt));
    router.add("GET", "/v1/integrations/{id}/read-ledger", Audited::nothing(),
               guarded(get_read_ledger));
}

}  // namespace postern::api
