#include "edge/api/api_error.h"
#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/factor_view.h"
#include "edge/api/passkey_body.h"
#include "edge/api/problem.h"
#include "edge/api/relying_party.h"
#include "edge/api/router.h"
#include "edge/api/session_view.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/names.h"
#include "features/identity/passkeys.h"
#include "features/identity/policy.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <utility>
#include <vector>

namespace postern::api {
namespace {

using Mine = identity::Authorized<identity::Permission::manage_own_factors>;
using Self = identity::Authorized<identity::Permission::see_self>;

/// POST /v1/me/passkeys/options
Answer post_options(Call call, Mine who) {
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    auto options = co_await call.use().passkeys.creation_options(who);
    if (!options) co_return fail(std::move(options.error()));
    co_return json_response(200, creation_options_json(*options, *party));
}

/// POST /v1/me/passkeys {name, credential}
Answer post_passkey(Call call, Mine who) {
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto name = body.text("name", identity::k_name_bytes_max);
    auto made = read_new_passkey(body, "credential", errors);
    body.finish();
    if (errors.empty() && !identity::is_name(name)) errors.push_back({"name", "invalid"});
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    made.name = std::move(name);
    auto added = co_await call.use().passkeys.add(who, std::move(made), std::move(*party));
    if (!added) co_return fail(std::move(added.error()));
    // Other sessions of this person wait for their factor now.
    call.use().events.wake_all();
    co_return confirmed_response(201, *added);
}

/// POST /v1/sessions/current/passkey-challenge
Answer post_own_challenge(Call call, Self who) {
    if (!who.actor().person) co_return fail(ApiError::session_needed);
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    auto options = co_await call.use().passkeys.request_options(who);
    if (!options) co_return fail(std::move(options.error()));
    co_return json_response(200, request_options_json(*options, *party, "preferred"));
}

/// POST /v1/passkey-challenges
Answer post_challenge(Call call) {
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    const auto from = call.request.peer.address;
    auto challenge = co_await call.use().passkeys.sign_in_challenge(from);
    if (!challenge) co_return fail(std::move(challenge.error()));
    identity::RequestOptions options;
    options.challenge = std::move(*challenge);
    co_return json_response(200, request_options_json(options, *party, "required"));
}

/// POST /v1/sessions/passkey {credential} -> a cookie that no script can read
Answer post_passkey_session(Call call) {
    if (!is_not_foreign(call.request)) co_return fail(ApiError::foreign_origin);
    auto party = relying_party_of(call.use().site);
    if (!party) co_return fail(std::move(party.error()));
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::Passkeys::SignIn ask;
    ask.shown = read_shown_passkey(body, "credential", errors);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    ask.party = std::move(*party);
    ask.client = client_of(call);
    ask.from = call.request.peer.address;
    auto session = co_await call.use().passkeys.sign_in(std::move(ask));
    if (!session) co_return fail(std::move(session.error()));
    co_return session_response(201, *session, call);
}

}  // namespace

void add_passkey_routes(Router& router) {
    router.add("POST", "/v1/me/passkeys/options", Audited::nothing(), guarded(post_options));
    router.add("POST", "/v1/me/passkeys", Audited::in_change(), guarded(post_passkey));
    router.add("POST", "/v1/sessions/current/passkey-challenge", Audited::nothing(),
               in_any_workspace(guarded(post_own_challenge)));
    router.add("POST", "/v1/passkey-challenges", Audited::nothing(), open_to_all(post_challenge));
    router.add("POST", "/v1/sessions/passkey", Audited::in_change(),
               open_to_all(post_passkey_session));
}

}  // namespace postern::api
