#include "edge/api/integration_view.h"

#include "edge/api/call.h"
#include "edge/api/problem.h"
#include "features/integrations/integration_types.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/hash.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using codec::JsonWriter;

void add_host(JsonWriter& json, std::string_view name, const mail::MailHost& host) {
    if (host.port == 0) {
        json.null_field(name);
        return;
    }
    json.begin_object(name)
        .field("host", host.host)
        .field("port", std::int64_t{host.port})
        .field("tls", host.tls == mail::TlsUse::implicit ? "implicit" : "starttls")
        .end_object();
}

void add_config(JsonWriter& json, const integrations::Settings& settings) {
    const auto& to = settings.destination;
    json.begin_object("config").field("address", to.address).field("username", to.username);
    if (to.ca_pem.empty()) {
        json.null_field("tls_ca_pem");
    } else {
        json.field("tls_ca_pem", to.ca_pem);
    }
    add_host(json, "imap", to.imap);
    add_host(json, "smtp", to.smtp);
    if (!settings.region.empty()) json.field("region", settings.region);
    json.end_object();
}

bool has(keys::Verbs verbs, keys::Verb verb) {
    return (verbs & static_cast<keys::Verbs>(verb)) != 0;
}

}  // namespace

std::string lease_json(const keys::Lease& lease) {
    JsonWriter json;
    json.begin_object()
        .field("open", lease.open)
        .field("epoch", static_cast<std::int64_t>(lease.epoch))
        .field("until", rfc3339(lease.until_ms))
        .field("idle_until", rfc3339(lease.idle_until_ms))
        .end_object();
    return json.take();
}

std::string grant_json(const integrations::Grant& grant, UnixMs now_ms) {
    JsonWriter json;
    json.begin_object().field("id", grant.seal.grant.text()).begin_array("verbs");
    if (has(grant.seal.verbs, keys::Verb::send)) json.item("send");
    if (has(grant.seal.verbs, keys::Verb::read_replies)) json.item("read_replies");
    json.end_array()
        .field("hourly_ceiling", std::int64_t{grant.seal.hourly_ceiling})
        .field("expires_at", rfc3339(grant.seal.expires_at_ms))
        .field("created_at", rfc3339(grant.created_at_ms))
        .field("expired", grant.seal.expires_at_ms <= now_ms)
        .end_object();
    return json.take();
}

std::string integration_json(const integrations::View& view, UnixMs now_ms) {
    const auto& row = view.integration;
    JsonWriter json;
    json.begin_object()
        .field("id", row.id.text())
        .field("kind", row.kind)
        .field("name", view.settings.name)
        .field("level", row.level)
        .field("state", name_of(view.state))
        .field("epoch", static_cast<std::int64_t>(row.epoch));
    if (view.lease.open) {
        json.raw_field("lease", lease_json(view.lease));
    } else {
        json.null_field("lease");
    }
    json.begin_array("grants");
    for (const auto& grant : row.grants)
        json.raw_item(grant_json(grant, now_ms));
    json.end_array();
    add_config(json, view.settings);
    if (row.broken_code) {
        json.field("broken_code", *row.broken_code);
    } else {
        json.null_field("broken_code");
    }
    json.field("created_at", rfc3339(row.created_at_ms))
        .field("last_used_at", rfc3339(row.last_used_at_ms))
        .end_object();
    return json.take();
}

mail::Check search_check(const mail::SearchState& search) {
    mail::Check check;
    check.name = "reply_search";
    check.good = true;
    check.seen =
        search.probed_at_ms == 0 ? "not tried yet" : "tried " + rfc3339(search.probed_at_ms);
    if (search.by_headers) {
        check.code = "search_not_working";
        check.text =
            "The server's search does not find our mails. In-Reply-To and References of "
            "every new mail are looked at instead, and nothing of them is kept.";
    }
    if (!search.authserv_id.empty()) check.seen += ", results by " + search.authserv_id;
    return check;
}

mail::Check reply_address_check(mail::ReplyAddressState state) {
    using State = mail::ReplyAddressState;
    mail::Check check;
    check.name = "reply_address";
    check.good = true;
    switch (state) {
        case State::not_possible:
            check.code = "not_possible";
            check.text = describe(mail::MailServiceError::reply_address_not_possible).text.view();
            break;
        case State::not_tried:
            check.code = "not_tried";
            check.text =
                "Whether mail to a plus address of this mailbox arrives is not known. Replies are "
                "found by what they answer.";
            break;
        case State::waiting:
            check.code = "waiting";
            check.text =
                "One mail was sent to a plus address of this mailbox. It has not arrived "
                "yet.";
            break;
        case State::arrives:
            check.code = "arrives";
            check.text =
                "Mails name a reply address of their thread. An answer to it is found, "
                "also when it does not say what it answers.";
            break;
        case State::did_not_arrive:
            check.code = "did_not_arrive";
            check.text =
                "A mail to a plus address of this mailbox did not arrive. Mails name no "
                "reply address; replies are found by what they answer.";
            break;
    }
    return check;
}

std::string checks_json(const std::vector<mail::Check>& checks) {
    const bool good =
        std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.good; });
    JsonWriter json;
    json.begin_object().field("good", good).begin_array("checks");
    for (const auto& check : checks) {
        json.begin_object().field("name", check.name).field("good", check.good);
        if (!check.code.empty()) json.field("code", check.code);
        if (!check.text.empty()) json.field("text", check.text);
        if (!check.seen.empty()) json.field("seen", check.seen);
        json.end_object();
    }
    json.end_array().end_object();
    return json.take();
}

std::string notices_json(const integrations::View& view) {
    JsonWriter json;
    json.begin_array();
    if (view.integration.grants.empty() && view.lease.open) {
        const auto at = std::min(view.lease.until_ms, view.lease.idle_until_ms);
        json.begin_object()
            .field("code", "stops_without_grant")
            .field("at", rfc3339(at))
            .field("text",
                   "No grant was made. When the lease ends, or the server starts anew, sending "
                   "and looking for replies stop until somebody gives the secret again. Mail "
                   "waits in the mailbox.")
            .end_object();
    }
    json.end_array();
    return json.take();
}

std::string refusal_json(const Error& error) {
    // What no client may see becomes what it would in an answer of its own.
    const bool may_be_seen = status_of_code(error.code()) != 0;
    JsonWriter json;
    json.begin_object()
        .field("code", may_be_seen ? error.code() : "internal_error")
        .field("text", may_be_seen ? error.text() : "Something went wrong on our side.")
        .end_object();
    return json.take();
}

std::string with_generated(std::string json,
                           const Secret& secret,
                           const std::vector<Secret>& shares) {
    if (!secret.empty()) json = with_secret(std::move(json), "shared_secret", secret);
    if (!shares.empty()) json = with_secrets(std::move(json), "shared_secret_shares", shares);
    return json;
}

std::string holder_json(const integrations::Holder& holder) {
    JsonWriter json;
    json.begin_object().field("id", holder.id.text());
    if (holder.name.empty()) {
        json.null_field("name");
    } else {
        json.field("name", holder.name);
    }
    json.field("created_at", rfc3339(holder.created_at_ms)).end_object();
    return json.take();
}

std::string etag_of(const integrations::View& view) {
    constexpr std::size_t k_tag_bytes = 12;
    auto bytes = view.integration.sealed_settings;
    for (int shift = 0; shift < 64; shift += 8) {
        bytes.push_back(static_cast<std::uint8_t>(view.integration.epoch >> shift));
    }
    const auto hash = crypto::sha256(bytes);
    return "\"" + codec::base64url(ByteView(hash).first(k_tag_bytes)) + "\"";
}

}  // namespace postern::api
