#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/policy.h"
#include "features/mail/private_threads.h"
#include "foundation/base/clock.h"
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
using Write = identity::Authorized<Permission::write_mail>;
using Manage = identity::Authorized<Permission::manage_people>;

constexpr char k_unattended_list = 'u';

std::string unattended_json(const mail::UnattendedThread& thread) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", thread.id.text())
        .field("created_at", rfc3339(thread.created_at_ms))
        .field("updated_at", rfc3339(thread.updated_at_ms))
        .end_object();
    return json.take();
}

/// PUT /v1/threads/{id}/people/{person}
Answer put_person(Call call, Write who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    // One that is not well formed is nobody's, which only those who see the thread are told.
    const auto person = PersonId::parse(call.parameter(1)).value_or(PersonId{});
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    auto by = identity::by(who.actor());
    const auto viewer = identity::viewer_of(who.actor());
    auto added = co_await call.use().private_threads.add(std::move(by), viewer, *id, person);
    if (!added) co_return fail(std::move(added.error()));
    co_return no_content();
}

/// DELETE /v1/threads/{id}/people/{person}
Answer delete_person(Call call, Write who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto person = PersonId::parse(call.parameter(1)).value_or(PersonId{});
    auto by = identity::by(who.actor());
    const auto viewer = identity::viewer_of(who.actor());
    auto gone = co_await call.use().private_threads.take_out(std::move(by), viewer, *id, person);
    if (!gone) co_return fail(std::move(gone.error()));
    co_return no_content();
}

/// POST /v1/threads/{id}/share
Answer post_share(Call call, Write who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    auto by = identity::by(who.actor());
    const auto viewer = identity::viewer_of(who.actor());
    auto shared = co_await call.use().private_threads.share(std::move(by), viewer, *id);
    if (!shared) co_return fail(std::move(shared.error()));
    co_return no_content();
}

/// GET /v1/unattended-threads?cursor=&limit=: ids and dates, nothing of what they hold
Answer get_unattended(Call call, Manage who) {
    std::vector<codec::FieldError> errors;
    QueryReader query(call.request.query(), errors);
    const auto limit = query.limit();
    const auto before = query.cursor_id<ThreadTag>(k_unattended_list);
    query.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto page = co_await call.use().private_threads.unattended(who.actor().workspace, before,
                                                               static_cast<std::size_t>(limit));
    if (!page) co_return fail(std::move(page.error()));
    std::optional<std::string> next;
    if (page->next) next = make_cursor(k_unattended_list, page->next->bytes());
    std::vector<std::string> items;
    for (const auto& thread : page->threads)
        items.push_back(unattended_json(thread));
    co_return json_response(200, list_json(items, next));
}

/// POST /v1/unattended-threads/{id}/share
Answer post_share_unattended(Call call, Manage who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    auto by = identity::by(who.actor());
    const auto workspace = who.actor().workspace;
    auto shared =
        co_await call.use().private_threads.share_unattended(std::move(by), workspace, *id);
    if (!shared) co_return fail(std::move(shared.error()));
    co_return no_content();
}

/// POST /v1/unattended-threads/{id}/take-over: who asks is one of its people from now on
Answer post_take_over(Call call, Manage who) {
    const auto id = path_id<ThreadTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto empty = empty_body(call);
    if (!empty) co_return fail(std::move(empty.error()));
    if (!empty->empty()) co_return problem_of_fields(*empty, call.request.id);
    const auto person = identity::viewer_of(who.actor()).person();
    auto by = identity::by(who.actor());
    const auto workspace = who.actor().workspace;
    auto taken =
        co_await call.use().private_threads.take_over(std::move(by), workspace, *id, person);
    if (!taken) co_return fail(std::move(taken.error()));
    co_return no_content();
}

}  // namespace

void add_private_thread_routes(Router& router) {
    router.add("PUT", "/v1/threads/{id}/people/{person}", Audited::in_change(),
               guarded(put_person));
    router.add("DELETE", "/v1/threads/{id}/people/{person}", Audited::in_change(),
               guarded(delete_person));
    router.add("POST", "/v1/threads/{id}/share", Audited::in_change(), guarded(post_share));
    router.add("GET", "/v1/unattended-threads", Audited::nothing(), guarded(get_unattended));
    router.add("POST", "/v1/unattended-threads/{id}/share", Audited::in_change(),
               guarded(post_share_unattended));
    router.add("POST", "/v1/unattended-threads/{id}/take-over", Audited::in_change(),
               guarded(post_take_over));
}

}  // namespace postern::api
