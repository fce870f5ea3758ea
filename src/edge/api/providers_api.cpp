#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/secret_field.h"
#include "edge/api/site.h"
#include "features/identity/actor.h"
#include "features/identity/identity_store.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "features/identity/provider_metadata.h"
#include "features/identity/providers.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "foundation/codec/mail/address.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Provider;
using identity::ProviderTag;
using Manage = identity::Providers::Manage;

constexpr std::size_t k_word_bytes_max = 64;

std::string provider_json(const Provider& provider, const Call& call) {
    const auto base = own_place(call.use().site, call.request);
    const auto& settings = provider.settings;
    codec::JsonWriter json;
    json.begin_object()
        .field("id", provider.row.id.text())
        .field("name", settings.name)
        .field("issuer", settings.issuer)
        .field("client_id", settings.client_id)
        .field("has_secret", settings.has_secret)
        .field("default_role", identity::name_of(provider.row.default_role))
        .field("enabled", provider.row.is_on)
        .field("sign_in_url", base + "/sign-in/oidc/" + provider.row.id.text())
        .field("callback_url", callback_place(call.use().site, call.request))
        .begin_array("domains");
    for (const auto& domain : settings.domains)
        json.item(domain);
    json.end_array().end_object();
    return json.take();
}

std::string lower(std::string_view text) {
    return identity::folded_address(std::string(text));
}

std::vector<std::string> read_domains(codec::ObjectReader& body) {
    std::vector<std::string> out;
    bool are_domains = true;
    body.items("domains", identity::k_provider_domains_max, false,
               [&](const codec::Json& item, const std::string&) {
                   const auto text = item.text();
                   are_domains = are_domains && text && text->size() <= k_host_bytes_max &&
                                 codec::is_domain(*text);
                   if (are_domains) out.push_back(lower(*text));
               });
    if (!are_domains) body.wrong("domains", "invalid");
    return out;
}

/// Nobody becomes an owner by coming.
std::optional<identity::Role> read_role(codec::ObjectReader& body, bool required) {
    const auto text = required ? body.text("default_role", k_word_bytes_max)
                               : body.optional_text("default_role", k_word_bytes_max);
    if (!text || (required && text->empty())) return std::nullopt;
    const auto role = identity::parse_role(*text);
    if (!role || *role == identity::Role::owner) body.wrong("default_role", "invalid");
    return role;
}

std::optional<keys::SecretInput> read_client_secret(codec::ObjectReader& body) {
    if (body.value("client_secret", false) == nullptr) return std::nullopt;
    return read_secret(body, "client_secret", false);
}

std::optional<bool> read_flag(codec::ObjectReader& body, std::string_view name) {
    if (body.value(name, false) == nullptr) return std::nullopt;
    return body.flag(name);
}

identity::Providers::Wish read_wish(codec::ObjectReader& body) {
    identity::Providers::Wish wish;
    wish.name = body.text("name", identity::k_name_bytes_max);
    wish.issuer = body.text("issuer", identity::k_issuer_bytes_max);
    wish.client_id = body.text("client_id", identity::k_client_id_bytes_max);
    if (auto secret = read_client_secret(body)) wish.secret = std::move(*secret);
    wish.domains = read_domains(body);
    wish.ca_pem = body.optional_text("tls_ca_pem", k_ca_pem_bytes_max).value_or("");
    wish.default_role = read_role(body, true).value_or(identity::Role::reader);
    wish.is_on = read_flag(body, "enabled").value_or(true);
    if (!wish.name.empty() && !identity::is_name(wish.name)) body.wrong("name", "invalid");
    if (!wish.issuer.empty() && !identity::is_issuer(wish.issuer)) body.wrong("issuer", "invalid");
    if (!wish.client_id.empty() && !identity::is_client_id(wish.client_id)) {
        body.wrong("client_id", "invalid");
    }
    return wish;
}

/// POST /v1/identity-providers
Answer post_provider(Call call, Manage who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto wish = read_wish(body);
    body.finish();
    if (errors.empty() && wish.name.empty()) errors.push_back({"name", "invalid"});
    if (errors.empty() && wish.issuer.empty()) errors.push_back({"issuer", "invalid"});
    if (errors.empty() && wish.client_id.empty()) errors.push_back({"client_id", "invalid"});
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().providers.add(who, std::move(wish));
    if (!made) co_return fail(std::move(made.error()));
    co_return json_response(201, provider_json(*made, call));
}

/// GET /v1/identity-providers: no page has more than all of them; their number is bounded.
Answer get_providers(Call call, Manage who) {
    auto all = co_await call.use().providers.list(who.actor().workspace);
    if (!all) co_return fail(std::move(all.error()));
    std::vector<std::string> items;
    for (const auto& provider : *all)
        items.push_back(provider_json(provider, call));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// PATCH /v1/identity-providers/{id}
Answer patch_provider(Call call, Manage who) {
    const auto id = path_id<ProviderTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    identity::Providers::Change change;
    change.name = body.optional_text("name", identity::k_name_bytes_max);
    change.secret = read_client_secret(body);
    if (body.value("domains", false) != nullptr) change.domains = read_domains(body);
    change.default_role = read_role(body, false);
    change.is_on = read_flag(body, "enabled");
    change.look_again = body.flag("look_again");
    if (change.name && !identity::is_name(*change.name)) body.wrong("name", "invalid");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto changed = co_await call.use().providers.change(who, *id, std::move(change));
    if (!changed) co_return fail(std::move(changed.error()));
    call.use().events.wake_all();
    co_return json_response(200, provider_json(*changed, call));
}

/// DELETE /v1/identity-providers/{id}
Answer delete_provider(Call call, Manage who) {
    const auto id = path_id<ProviderTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto deleted = co_await call.use().providers.remove(who, *id);
    if (!deleted) co_return fail(std::move(deleted.error()));
    call.use().events.wake_all();
    co_return no_content();
}

}  // namespace

void add_provider_routes(Router& router) {
    router.add("GET", "/v1/identity-providers", Audited::nothing(), guarded(get_providers));
    router.add("POST", "/v1/identity-providers", Audited::in_change(), guarded(post_provider));
    router.add("PATCH", "/v1/identity-providers/{id}", Audited::in_change(),
               guarded(patch_provider));
    router.add("DELETE", "/v1/identity-providers/{id}", Audited::in_change(),
               guarded(delete_provider));
}

}  // namespace postern::api
