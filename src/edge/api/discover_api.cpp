#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "features/mail/discovery.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "foundation/codec/mail/address.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using Manage = identity::Authorized<identity::Permission::manage_integrations>;

void write_host(codec::JsonWriter& json, std::string_view name, const mail::MailHost& host) {
    json.begin_object(name)
        .field("host", host.host)
        .field("port", static_cast<std::int64_t>(host.port))
        .field("tls", host.tls == mail::TlsUse::implicit ? "implicit" : "starttls")
        .end_object();
}

void write_provider(codec::JsonWriter& json, const mail::Provider& provider) {
    json.begin_object("provider")
        .field("id", provider.id)
        .field("name", provider.name)
        .field("sign_in", mail::name_of(provider.sign_in))
        .begin_array("steps");
    for (const auto step : provider.steps)
        json.item(step);
    json.end_array().field("help_url", provider.help_url).end_object();
}

/// `config` is what POST /v1/integrations takes.
std::string discovered_json(const codec::EmailAddress& address, const mail::Discovered& found) {
    codec::JsonWriter json;
    json.begin_object()
        .field("address", address.text())
        .field("source", mail::name_of(found.source))
        .field("connectable", found.is_connectable())
        .field("needs_confirmation", found.needs_confirmation());
    if (found.provider != nullptr) {
        write_provider(json, *found.provider);
    } else {
        json.null_field("provider");
    }
    if (found.imap || found.smtp) {
        json.begin_object("config")
            .field("address", address.text())
            .field("username", address.text());
        if (found.imap) write_host(json, "imap", *found.imap);
        if (found.smtp) write_host(json, "smtp", *found.smtp);
        json.end_object();
    } else {
        json.null_field("config");
    }
    json.begin_array("notices");
    for (const auto& one : found.notices) {
        const auto info = describe(one.notice);
        codec::JsonWriter notice;
        notice.begin_object().field("code", info.code.view()).field("text", info.text.view());
        if (one.host.empty()) {
            notice.null_field("host");
        } else {
            notice.field("host", one.host);
        }
        notice.end_object();
        json.raw_item(notice.take());
    }
    json.end_array().end_object();
    return json.take();
}

/// POST /v1/integrations/discover {address}
Answer post_discover(Call call, Manage) {
    auto body_json = json_body(call);
    if (!body_json) co_return fail(std::move(body_json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*body_json, "", errors);
    const auto text = body.text("address", k_address_bytes_max);
    body.finish();
    const auto address = codec::EmailAddress::parse(text);
    if (errors.empty() && !address) body.wrong("address", "invalid");
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto found = co_await mail::discover(&call.use().courier, *address);
    if (!found) co_return fail(std::move(found.error()));
    co_return json_response(200, discovered_json(*address, *found));
}

}  // namespace

void add_discover_routes(Router& router) {
    router.add("POST", "/v1/integrations/discover", Audited::nothing(), guarded(post_discover));
}

}  // namespace postern::api
