#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/form_body.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/pages.h"
#include "edge/api/password_field.h"
#include "edge/api/people_view.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/people.h"
#include "features/identity/policy.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using See = identity::People::See;
using Manage = identity::People::Manage;
using Join = identity::People::Join;

constexpr std::size_t k_word_bytes_max = 64;
constexpr std::size_t k_token_bytes_max = 100;
constexpr std::string_view k_title = "Invitation";

std::string joined_json(const identity::Joined& joined) {
    codec::JsonWriter json;
    json.begin_object()
        .field("workspace_id", joined.workspace.text())
        .field("person_id", joined.person.text())
        .field("role", name_of(joined.role))
        .end_object();
    return json.take();
}

/// POST /v1/invitations {email, role, delivery?}
Answer post_invitation(Call call, Manage who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::People::Wish wish;
    wish.id = call.reserved_id<identity::InvitationTag>();
    wish.email = body.text("email", k_address_bytes_max);
    const auto role = identity::parse_role(body.text("role", k_word_bytes_max));
    if (!role) body.wrong("role", "invalid");
    const auto delivery = body.optional_text("delivery", k_word_bytes_max);
    if (delivery) {
        wish.is_mailed = *delivery == "mail";
        if (*delivery != "mail" && *delivery != "link") body.wrong("delivery", "invalid");
    }
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    wish.role = *role;
    wish.page = page_url(call.use().site, call.request, "/invitation");
    auto made = co_await call.use().people.invite(who, std::move(wish));
    if (!made) co_return fail(std::move(made.error()));
    auto json_text = invitation_json(*made);
    if (made->link.size() > 0) json_text = with_secret(std::move(json_text), "link", made->link);
    co_return json_response(201, std::move(json_text));
}

async::Task<std::optional<Response>> replay_invitation(Call call, identity::Actor actor) {
    auto may_see = See::check(actor);
    if (!may_see) co_return fail(std::move(may_see.error()));
    auto all = co_await call.use().people.invitations(*may_see);
    if (!all) co_return fail(std::move(all.error()));
    const auto wanted = call.reserved_id<identity::InvitationTag>();
    for (const auto& invitation : *all) {
        if (invitation.id != wanted) continue;
        co_return json_response(201,
                                with_field(invitation_json(invitation), "secret_shown", "true"));
    }
    co_return std::optional<Response>();
}

/// GET /v1/invitations: those that are open
Answer get_invitations(Call call, See who) {
    auto all = co_await call.use().people.invitations(who);
    if (!all) co_return fail(std::move(all.error()));
    std::vector<std::string> items;
    for (const auto& invitation : *all)
        items.push_back(invitation_json(invitation));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// DELETE /v1/invitations/{id}
Answer delete_invitation(Call call, Manage who) {
    const auto id = path_id<identity::InvitationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto gone = co_await call.use().people.withdraw(who, *id);
    if (!gone) co_return fail(std::move(gone.error()));
    co_return no_content();
}

/// POST /v1/invitations/accept {token, password}
Answer post_accept(Call call) {
    std::vector<codec::FieldError> errors;
    auto given = link_body(call, errors);
    if (!given) co_return fail(std::move(given.error()));
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto from = caller_address(call);
    auto joined = co_await call.use().people.accept(std::move(given->token),
                                                    std::move(given->password), std::move(from));
    if (!joined) co_return refuse_password(joined.error(), "password", call.request.id);
    co_return json_response(201, joined_json(*joined));
}

/// POST /v1/me/workspaces {invitation}: of somebody who is signed in
Answer post_own_workspace(Call call, Join who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto token = body.text("invitation", k_token_bytes_max);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto joined = co_await call.use().people.join(who, std::move(token));
    if (!joined) co_return fail(std::move(joined.error()));
    co_return json_response(201, joined_json(*joined));
}

/// GET /invitation?token=...: the form, where the link is still good
Answer get_invitation_page(Call call) {
    auto token = token_of_link(call);
    auto offer = co_await call.use().people.look_at(token);
    if (!offer) co_return refused_page(k_title, offer.error());
    co_return invitation_form(200, token, *offer, {});
}

/// POST /invitation: what the form sends
Answer post_invitation_page(Call call) {
    auto form = link_form(call);
    if (!form) co_return fail(std::move(form.error()));
    auto given = std::move(*form);
    if (!given) co_return notice_page(400, k_title, "The form could not be read.");
    const auto token = given->token;
    auto offer = co_await call.use().people.look_at(token);
    if (!offer) co_return refused_page(k_title, offer.error());
    auto from = caller_address(call);
    auto joined =
        co_await call.use().people.accept(token, std::move(given->password), std::move(from));
    if (!joined) {
        co_return invitation_form(page_status(joined.error()), token, *offer,
                                  joined.error().text());
    }
    co_return notice_page(201, "You are in",
                          "Sign in with your address and this password from now on.");
}

}  // namespace

void add_invitation_routes(Router& router) {
    router.add("POST", "/v1/invitations", Audited::in_change(),
               guarded(post_invitation, replay_invitation, 201));
    router.add("GET", "/v1/invitations", Audited::nothing(), guarded(get_invitations));
    router.add("DELETE", "/v1/invitations/{id}", Audited::in_change(), guarded(delete_invitation));
    router.add("POST", "/v1/invitations/accept", Audited::in_change(), open_to_all(post_accept));
    router.add("POST", "/v1/me/workspaces", Audited::in_change(),
               in_any_workspace(guarded(post_own_workspace)));
    router.add("GET", "/invitation", Audited::nothing(), open_to_all(get_invitation_page));
    router.add("POST", "/invitation", Audited::in_change(), open_to_all(post_invitation_page));
}

}  // namespace postern::api
