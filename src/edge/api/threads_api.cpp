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
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Read = identity::Authorized<Permission::read_history>;
using Open = identity::Authorized<Permission::read_bodies>;
using Write = identity::Authorized<Permission::write_mail>;

constexpr char k_list = 't';
constexpr std::size_t k_id_bytes_max = 64;

/// Of everybody whom one of these is private to.
async::Task<Addresses> addresses_of(Call call, std::vector<mail::ThreadView> threads) {
    std::vector<PersonId> people;
    for (const auto& thread : threads) {
        if (!thread.private_to) continue;
        people.insert(people.end(), thread.private_to->begin(), thread.private_to->end());
    }
    if (people.empty()) co_return Addresses{};
    co_return co_await call.use().people.addresses(std::move(people));
}

async::Task<Response> thread_response(Call call, int status, mail::ThreadView thread) {
    const std::vector<mail::ThreadView> alone{thread};
    auto addresses = co_await addresses_of(std::move(call), alone);
    if (!addresses) co_return fail(std::move(addresses.error()));
    co_return json_response(status, thread_json(thread, *addresses, true));
}

/// POST /v1/threads {integration_id, to, subject, text, html?, basis?, private?}
Answer post_thread(Call call, Write who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto given = body.text("integration_id", k_id_bytes_max);
    auto mail = read_mail(body, true, errors);
    const auto actor = who.actor();
    const auto viewer = identity::viewer_of(actor);
    if (body.flag("private")) {
        mail.private_to = viewer.person();
        if (!mail.private_to) body.wrong("private", "needs_person");
    }
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto integration = IntegrationId::parse(given);
    if (!integration) co_return fail(mail::MailServiceError::integration_not_found);
    mail.id = call.record->reserved;
    mail.by = identity::by(actor);
    auto thread =
        co_await call.use().mail.start_thread(viewer, *integration, std::move(mail), actor.handle);
    if (!thread) co_return fail(std::move(thread.error()));
    call.made(thread->id);
    co_return co_await thread_response(std::move(call), 201, std::move(*thread));
}

async::Task<std::optional<Response>> replay_thread(Call call, identity::Actor actor) {
    auto thread = co_await call.use().mail.thread(identity::viewer_of(actor),
                                                  call.reserved_id<ThreadTag>(), actor.handle);
    if (!thread && thread.error().is(mail::MailServiceError::thread_not_found)) {
        co_return std::optional<Response>();
    }
    if (!thread) co_return fail(std::move(thread.error()));
    auto response = co_await thread_response(std::move(call), 201, std::move(*thread));
    if (!response) co_return fail(std::move(response.error()));
    co_return std::move(*response);
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
    const auto viewer = identity::viewer_of(actor);
    auto threads = co_await call.use().mail.threads(viewer, ask, actor.handle);
    if (!threads) co_return fail(std::move(threads.error()));
    std::optional<std::string> next;
    if (threads->size() > static_cast<std::size_t>(limit)) {
        threads->resize(static_cast<std::size_t>(limit));
        next = make_cursor(k_list, threads->back().id.bytes());
    }
    auto addresses = co_await addresses_of(std::move(call), *threads);
    if (!addresses) co_return fail(std::move(addresses.error()));
    std::vector<std::string> items;
    for (const auto& thread : *threads)
        items.push_back(thread_json(thread, *addresses, false));
    co_return json_response(200, list_json(items, next));
}

/// GET /v1/threads/{id}
Answer get_thread(Call call, Open who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto actor = who.actor();
    const auto viewer = identity::viewer_of(actor);
    auto thread = co_await call.use().mail.thread(viewer, *id, actor.handle);
    if (!thread) co_return fail(std::move(thread.error()));
    co_return co_await thread_response(std::move(call), 200, std::move(*thread));
}

/// GET /v1/threads/{id}/messages: what came of each, without what it says. No page has more than
/// all of them; their number is bounded.
Answer get_messages(Call call, Read who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto viewer = identity::viewer_of(who.actor());
    auto outlines = co_await call.use().mail.outlines(viewer, *id);
    if (!outlines) co_return fail(std::move(outlines.error()));
    std::vector<std::string> items;
    for (const auto& outline : *outlines)
        items.push_back(outline_json(outline));
    co_return json_response(200, list_json(items, std::nullopt));
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
    const auto viewer = identity::viewer_of(actor);
    auto message = co_await call.use().mail.add_message(viewer, *id, std::move(mail), actor.handle);
    if (!message) co_return fail(std::move(message.error()));
    call.made(message->id);
    co_return json_response(201, message_json(*message));
}

async::Task<std::optional<Response>> replay_message(Call call, identity::Actor actor) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto viewer = identity::viewer_of(actor);
    auto thread = co_await call.use().mail.thread(viewer, *id, actor.handle);
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
    router.add("GET", "/v1/threads/{id}/messages", Audited::nothing(), guarded(get_messages));
    router.add("POST", "/v1/threads/{id}/messages", Audited::in_change(),
               guarded(post_message, replay_message, 201));
}

}  // namespace postern::api
