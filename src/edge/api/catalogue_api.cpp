#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "platform/keys/message_keys.h"

#include <chrono>
#include <utility>

namespace postern::api {
namespace {

using identity::Permission;

/// GET /v1/catalogue: what can be connected, and what is offered with it.
Answer get_catalogue(Call, identity::Authorized<Permission::see_workspace>) {
    codec::JsonWriter json;
    json.begin_object().begin_array("items");
    json.begin_object()
        .field("kind", "imap")
        .field("name", "Mailbox (IMAP and SMTP)")
        .begin_array("levels")
        .item("replies")
        .item("send_only")
        .end_array()
        .begin_array("verbs")
        .item("send")
        .item("read_replies")
        .end_array()
        .begin_object("offers")
        .begin_object("keep_working")
        .field("text", "Keep working while I am away: 30 days, send and read replies")
        .begin_array("verbs")
        .item("send")
        .item("read_replies")
        .end_array()
        .field("expires_in", "P30D")
        .field("preselected", true)
        .end_object()
        .end_object()
        .end_object();
    json.end_array().null_field("next_cursor").end_object();
    co_return json_response(200, json.take());
}

/// GET /v1/seal-key: what secrets are sealed to before they leave a console or a command line.
Answer get_seal_key(Call call, identity::Authorized<Permission::see_workspace>) {
    const keys::Identify ask;
    auto answer = co_await call.use().keeper.call(ask, Deadline::in(std::chrono::seconds(10)));
    if (!answer) co_return fail(std::move(answer.error()));
    codec::JsonWriter json;
    json.begin_object()
        .field("key", codec::base64(answer->seal_key))
        .field("algorithm", "x25519-xsalsa20poly1305-sealed-box")
        .field("receipt_key", codec::base64(answer->receipt_key))
        .field("receipt_algorithm", "ed25519")
        .end_object();
    co_return json_response(200, json.take());
}

}  // namespace

void add_catalogue_routes(Router& router) {
    router.add("GET", "/v1/catalogue", Audited::nothing(), guarded(get_catalogue));
    router.add("GET", "/v1/seal-key", Audited::nothing(), guarded(get_seal_key));
}

}  // namespace postern::api
