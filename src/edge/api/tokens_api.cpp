#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/secret_field.h"
#include "edge/api/token_view.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/identity.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Who = identity::Authorized<Permission::manage_tokens>;

constexpr std::size_t k_word_bytes_max = 64;
constexpr std::size_t k_scopes_max = 32;
constexpr std::size_t k_networks_max = 32;
constexpr std::int64_t k_day_s = 86'400;

std::vector<std::string> read_words(codec::ObjectReader& body,
                                    std::string_view name,
                                    std::size_t items_max) {
    std::vector<std::string> out;
    bool are_words = true;
    body.items(name, items_max, false, [&](const codec::Json& item, const std::string&) {
        const auto text = item.text();
        are_words = are_words && text && text->size() <= k_word_bytes_max;
        if (are_words) out.emplace_back(*text);
    });
    if (!are_words) body.wrong(name, "invalid");
    return out;
}

identity::Identity::TokenWish read_wish(codec::ObjectReader& body) {
    identity::Identity::TokenWish wish;
    const auto role = identity::parse_role(body.text("role", k_word_bytes_max));
    wish.role = role.value_or(identity::Role::reader);
    wish.name = body.optional_text("name", identity::k_name_bytes_max).value_or("");
    const auto scopes = identity::Scopes::of(read_words(body, "scopes", k_scopes_max));
    wish.scopes = scopes.value_or(identity::Scopes());
    for (const auto& text : read_words(body, "networks", k_networks_max)) {
        const auto network = net::Cidr::parse(text);
        if (!network) body.wrong("networks", "invalid");
        if (network) wish.networks.push_back(*network);
    }
    wish.lasts_s = read_duration_s(body, "expires_in", 10, 366 * k_day_s, 0);
    if (!role) body.wrong("role", "invalid");
    if (!scopes) body.wrong("scopes", "invalid");
    if (!wish.name.empty() && !identity::is_name(wish.name)) body.wrong("name", "invalid");
    return wish;
}

/// POST /v1/tokens {role, name?, scopes?, networks?, expires_in?}
Answer post_token(Call call, Who who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto wish = read_wish(body);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().identity.create_token(who, std::move(wish));
    if (!made) co_return fail(std::move(made.error()));
    call.made(made->row.id);
    co_return json_response(201, with_secret(token_json(*made), "token", made->text));
}

async::Task<std::optional<Response>> replay_token(Call call, identity::Actor actor) {
    auto all = co_await call.use().identity.tokens(actor.workspace);
    if (!all) co_return fail(std::move(all.error()));
    const auto wanted = call.reserved_id<TokenTag>();
    for (const auto& token : *all) {
        if (token.row.id != wanted) continue;
        co_return json_response(201, with_field(token_json(token), "secret_shown", "true"));
    }
    co_return std::optional<Response>();
}

/// GET /v1/tokens: no page has more than all of them; their number is bounded.
Answer get_tokens(Call call, Who who) {
    auto all = co_await call.use().identity.tokens(who.actor().workspace);
    if (!all) co_return fail(std::move(all.error()));
    std::vector<std::string> items;
    for (const auto& token : *all)
        items.push_back(token_json(token));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// DELETE /v1/tokens/{id}
Answer delete_token(Call call, Who who) {
    const auto id = path_id<TokenTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto& actor = who.actor();
    auto deleted =
        co_await call.use().identity.delete_token(actor.workspace, *id, identity::by(actor));
    if (!deleted) co_return fail(std::move(deleted.error()));
    call.use().events.wake_all();
    co_return no_content();
}

}  // namespace

void add_token_routes(Router& router) {
    router.add("POST", "/v1/tokens", Audited::in_change(), guarded(post_token, replay_token, 201));
    router.add("GET", "/v1/tokens", Audited::nothing(), guarded(get_tokens));
    router.add("DELETE", "/v1/tokens/{id}", Audited::in_change(), guarded(delete_token));
}

}  // namespace postern::api
