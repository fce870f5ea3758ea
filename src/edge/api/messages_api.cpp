#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/download.h"
#include "edge/api/endpoints.h"
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
using Judge = identity::Authorized<Permission::judge_held>;
using Write = identity::Authorized<Permission::write_mail>;

constexpr char k_held_list = 'h';
constexpr std::size_t k_state_bytes_max = 16;

/// GET /v1/messages/{id}/raw: byte for byte what was sent or received.
Answer get_raw(Call call, Open who) {
    const auto id = path_id<MessageTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto actor = who.actor();
    auto raw = co_await call.use().mail.raw(identity::viewer_of(actor), *id, actor.handle);
    if (!raw) co_return fail(std::move(raw.error()));
    DownloadHead head{id->text() + ".eml", "message/rfc822"};
    co_return download_response(std::move(head), std::move(raw->content));
}

/// GET /v1/messages/{id}/attachments/{attachment}
Answer get_attachment(Call call, Open who) {
    const auto id = path_id<MessageTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto index = parse_attachment_id(call.parameter(1));
    if (!index) co_return fail(unknown_id());
    const auto actor = who.actor();
    const auto viewer = identity::viewer_of(actor);
    auto file = co_await call.use().mail.attachment(viewer, *id, *index, actor.handle);
    if (!file) co_return fail(std::move(file.error()));
    DownloadHead head{std::move(file->name), std::move(file->type)};
    co_return download_response(std::move(head), std::move(file->content));
}

/// POST /v1/messages/{id}/resolve {state} -> the message: what became of an unknown one
Answer post_resolve(Call call, Write who) {
    const auto id = path_id<MessageTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto state = body.text("state", k_state_bytes_max);
    const bool is_known =
        state == name_of(mail::MessageState::sent) || state == name_of(mail::MessageState::failed);
    if (errors.empty() && !is_known) body.wrong("state", "invalid");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto actor = who.actor();
    const auto known = state == name_of(mail::MessageState::sent) ? mail::MessageState::sent
                                                                  : mail::MessageState::failed;
    auto by = identity::by(actor);
    const auto viewer = identity::viewer_of(actor);
    auto message =
        co_await call.use().mail.resolve(std::move(by), viewer, *id, known, actor.handle);
    if (!message) co_return fail(std::move(message.error()));
    co_return json_response(200, message_json(*message));
}

/// GET /v1/held?thread=&cursor=&limit=: who writes, when, and why it waits. No body was read.
Answer get_held(Call call, Read who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    mail::HeldQuery ask;
    const auto limit = query.limit();
    ask.limit = limit + 1;
    ask.before = query.cursor_id<MessageTag>(k_held_list);
    ask.thread = query.id<ThreadTag>("thread");
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto held = co_await call.use().mail.held(identity::viewer_of(who.actor()), ask);
    if (!held) co_return fail(std::move(held.error()));
    std::optional<std::string> next;
    if (held->size() > static_cast<std::size_t>(limit)) {
        held->resize(static_cast<std::size_t>(limit));
        next = make_cursor(k_held_list, held->back().id.bytes());
    }
    std::vector<std::string> items;
    for (const auto& mail : *held)
        items.push_back(held_json(mail));
    co_return json_response(200, list_json(items, next));
}

/// POST /v1/held/{id}/accept -> the message, now read
Answer post_accept(Call call, Judge who) {
    const auto id = path_id<MessageTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto actor = who.actor();
    auto by = identity::by(actor);
    const auto viewer = identity::viewer_of(actor);
    auto message = co_await call.use().mail.accept_held(std::move(by), viewer, *id, actor.handle);
    if (!message) co_return fail(std::move(message.error()));
    co_return json_response(200, message_json(*message));
}

/// POST /v1/held/{id}/refuse
Answer post_refuse(Call call, Judge who) {
    const auto id = path_id<MessageTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto by = identity::by(who.actor());
    const auto viewer = identity::viewer_of(who.actor());
    auto refused = co_await call.use().mail.refuse_held(std::move(by), viewer, *id);
    if (!refused) co_return fail(std::move(refused.error()));
    co_return no_content();
}

}  // namespace

void add_message_routes(Router& router) {
    router.add("GET", "/v1/messages/{id}/raw", Audited::opening("message.opened"),
               guarded(get_raw));
    router.add("GET", "/v1/messages/{id}/attachments/{attachment}",
               Audited::opening("attachment.opened"), guarded(get_attachment));
    router.add("POST", "/v1/messages/{id}/resolve", Audited::in_change(), guarded(post_resolve));
    router.add("GET", "/v1/held", Audited::nothing(), guarded(get_held));
    router.add("POST", "/v1/held/{id}/accept", Audited::in_change(), guarded(post_accept));
    router.add("POST", "/v1/held/{id}/refuse", Audited::in_change(), guarded(post_refuse));
}

}  // namespace postern::api
