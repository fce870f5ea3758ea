#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/mail_body.h"
#include "edge/api/mail_view.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/policy.h"
#include "features/mail/mail_types.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Read = identity::Authorized<Permission::read_history>;
using Write = identity::Authorized<Permission::write_mail>;

constexpr char k_list = 't';
constexpr std::size_t k_id_bytes_max = 64;

/// POST /v1/threads {integration_id, to, subject, text, html?, basis?}
Answer post_thread(Call call, Write who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto given = body.text("integration_id", k_id_bytes_max);
    auto mail = read_mail(body, true, errors);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto integration = IntegrationId::parse(given);
    if (!integration) co_return fail(mail::MailServiceError::integration_not_found);
    mail.id = call.record->reserved;
    const auto actor = who.actor();
    mail.by = identity::by(actor);
    auto thread = co_await call.use().mail.start_thread(actor.workspace, *integration,
                                                        std::move(mail), actor.handle);
    if (!thread) co_return fail(std::move(thread.error()));
    call.made(thread->id);
    co_return json_response(201, thread_json(*thread, true));
}

async::Task<std::optional<Response>> replay_thread(Call call, identity::Actor actor) {
    auto thread = co_await call.use().mail.thread(actor.workspace, call.reserved_id<ThreadTag>(),
                                                  actor.handle);
    if (!thread && thread.error().is(mail::MailServiceError::thread_not_found)) {
        co_return std::optional<Response>();
    }
    if (!thread) co_return fail(std::move(thread.error()));
    co_return json_response(201, thread_json(*thread, true));
}

/// GET /v1/threads?creator=&integration=&cursor=&limit=
Answer get_threads(Call call, Read who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    mail::MailService::ThreadQuery ask;
    const auto limit = query.limit();
    ask.limit = limit + 1;
    ask.before = query.cursor_id<ThreadTag>(k_list);
    ask.creator = query.id<CreatorTag>("creator");
    ask.integration = query.id<IntegrationTag>("integration");
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto actor = who.actor();
    auto threads = co_await call.use().mail.threads(actor.workspace, ask, actor.handle);
    if (!threads) co_return fail(std::move(threads.error()));
    std::optional<std::string> next;
    if (threads->size() > static_cast<std::size_t>(limit)) {
        threads->resize(static_cast<std::size_t>(limit));
        next = make_cursor(k_list, threads->back().id.bytes());
    }
    std::vector<std::string> items;
    for (const auto& thread : *threads)
        items.push_back(thread_json(thread, false));
    co_return json_response(200, list_json(items, next));
}

/// GET /v1/threads/{id}
Answer get_thread(Call call, Read who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto actor = who.actor();
    auto thread = co_await call.use().mail.thread(actor.workspace, *id, actor.handle);
    if (!thread) co_return fail(std::move(thread.error()));
    co_return json_response(200, thread_json(*thread, true));
}

/// POST /v1/threads/{id}/messages {text, html?, subject?, to?}
Answer post_message(Call call, Write who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto mail = read_mail(body, false, errors);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    mail.id = call.record->reserved;
    const auto actor = who.actor();
    mail.by = identity::by(actor);
    auto message =
        co_await call.use().mail.add_message(actor.workspace, *id, std::move(mail), actor.handle);
    if (!message) co_return fail(std::move(message.error()));
    call.made(message->id);
    co_return json_response(201, message_json(*message));
}

async::Task<std::optional<Response>> replay_message(Call call, identity::Actor actor) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto thread = co_await call.use().mail.thread(actor.workspace, *id, actor.handle);
    if (!thread) co_return fail(std::move(thread.error()));
    const auto wanted = call.reserved_id<MessageTag>();
    for (const auto& message : thread->messages) {
        if (message.id == wanted) co_return json_response(201, message_json(message));
    }
    co_return std::optional<Response>();
}

}  // namespace

void add_thread_routes(Router& router) {
    router.add("POST", "/v1/threads", Audited::in_change(),
               guarded(post_thread, replay_thread, 201));
    router.add("GET", "/v1/threads", Audited::nothing(), guarded(get_threads));
    router.add("GET", "/v1/threads/{id}", Audited::opening("thread.opened"), guarded(get_thread));
    router.add("POST", "/v1/threads/{id}/messages", Audited::in_change(),
               guarded(post_message, replay_message, 201));
}

}  // namespace postern::api
