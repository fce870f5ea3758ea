#include "edge/api/audit_line.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/download.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/net/http/response.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using See = identity::Authorized<identity::Permission::see_audit>;
using Export = identity::Authorized<identity::Permission::export_audit>;

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

/// A plain word, such as an id, an action or the name of a state.
std::string read_word(QueryReader& query,
                      std::string_view name,
                      std::vector<codec::FieldError>& errors) {
    constexpr std::size_t k_word_bytes_max = 64;
    auto word = query.text(name, k_word_bytes_max);
    if (!word) return {};
    const bool is_plain = !word->empty() && std::ranges::all_of(*word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
    if (!is_plain) errors.push_back({std::string(name), "invalid"});
    return std::move(*word);
}

void read_time(QueryReader& query,
               std::string_view name,
               UnixMs& time,
               std::vector<codec::FieldError>& errors) {
    constexpr std::size_t k_time_bytes_max = 40;
    const auto text = query.text(name, k_time_bytes_max);
    if (!text) return;
    const auto parsed = parse_rfc3339(*text);
    if (!parsed) errors.push_back({std::string(name), "invalid"});
    time = parsed.value_or(time);
}

/// GET /v1/audit?action=&by=&about=&since=&until=&cursor=&limit=: who did what. Newest first.
Answer get_audit(Call call, See who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto limit = query.limit();
    audit::Search asked;
    asked.before = number_at(query.cursor(k_list, k_number_bytes));
    asked.action = read_word(query, "action", errors);
    asked.by = read_word(query, "by", errors);
    asked.about = read_word(query, "about", errors);
    read_time(query, "since", asked.since_ms, errors);
    read_time(query, "until", asked.until_ms, errors);
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto found = co_await call.use().audit.search(who.actor().workspace, std::move(asked), limit);
    if (!found) co_return fail(std::move(found.error()));
    std::optional<std::string> next;
    if (found->go_on_before > 0) next = make_cursor(k_list, number_position(found->go_on_before));
    std::vector<std::string> items;
    for (const auto& record : found->records)
        items.push_back(record_json(record));
    co_return json_response(200, list_json(items, next));
}

/// Some at a time, so that a long record takes no memory.
async::Task<> write_lines(std::shared_ptr<const Services> services,
                          WorkspaceId workspace,
                          net::http::BodyWriter* to) {
    std::int64_t last = 0;
    while (true) {
        auto page = co_await services->audit.after(workspace, last);
        if (!page) co_return fail(std::move(page.error()));
        if (page->empty()) co_return Result<>{};
        std::string lines;
        for (const auto& record : *page)
            lines += audit_line(record);
        last = page->back().stored.number;
        auto written = co_await to->write(std::move(lines));
        if (!written) co_return written;
    }
}

/// GET /v1/audit/export: the whole record, oldest first, as it can be verified.
Answer export_audit(Call call, Export who) {
    Response response;
    response.content_type = "application/jsonl";
    response.headers.emplace_back("Content-Disposition", disposition("audit.jsonl"));
    response.stream = [services = call.services,
                       workspace = who.actor().workspace](net::http::BodyWriter& to) {
        return write_lines(services, workspace, &to);
    };
    return answer_with(std::move(response));
}

}  // namespace

void add_audit_routes(Router& router) {
    router.add("GET", "/v1/audit", Audited::nothing(), guarded(get_audit));
    router.add("GET", "/v1/audit/export", Audited::opening("audit.exported"),
               guarded(export_audit));
}

}  // namespace postern::api
