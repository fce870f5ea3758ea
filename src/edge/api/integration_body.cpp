#include "edge/api/integration_body.h"

#include "edge/api/limits.h"
#include "edge/api/secret_field.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/codec/json.h"
#include "foundation/codec/mail/address.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using codec::FieldError;
using codec::Json;
using codec::ObjectReader;

constexpr std::size_t k_word_bytes_max = 32;
constexpr std::size_t k_verbs_max = 8;

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

/// Text of one line, not empty.
std::string line(ObjectReader& body, std::string_view name, std::size_t bytes_max) {
    if (body.value(name, true) == nullptr) return {};
    auto text = body.optional_text(name, bytes_max);
    if (text && (text->empty() || has_control(*text))) body.wrong(name, "invalid");
    return std::move(text).value_or("");
}

mail::MailHost read_host(const Json& json,
                         const std::string& path,
                         std::vector<FieldError>& errors) {
    constexpr std::int64_t k_port_max = 65535;
    ObjectReader body(json, path, errors);
    mail::MailHost host;
    host.host = line(body, "host", k_host_bytes_max);
    if (std::any_of(host.host.begin(), host.host.end(),
                    [](char c) { return c == ' ' || c == '/' || c == '@'; })) {
        body.wrong("host", "invalid");
    }
    host.port = static_cast<std::uint16_t>(body.integer("port", 1, k_port_max));
    const bool has_tls = body.value("tls", true) != nullptr;
    const auto tls = body.optional_text("tls", k_word_bytes_max);
    if (tls && *tls == "starttls") {
        host.tls = mail::TlsUse::starttls;
    } else if (has_tls && tls && *tls != "implicit") {
        body.wrong("tls", "invalid");
    }
    body.finish();
    return host;
}

bool looks_like_pem(std::string_view text) {
    return text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos &&
           text.find("-----END CERTIFICATE-----") != std::string_view::npos;
}

void read_config(const Json& json,
                 bool reads_replies,
                 integrations::ConnectAsk& ask,
                 std::vector<FieldError>& errors) {
    ObjectReader body(json, "config", errors);
    auto& to = ask.destination;
    const bool has_address = body.value("address", true) != nullptr;
    const auto address = body.optional_text("address", k_address_bytes_max);
    if (has_address && address) {
        const auto parsed = codec::EmailAddress::parse(*address);
        if (!parsed) body.wrong("address", "invalid");
        if (parsed) to.address = parsed->text();
    }
    to.username = line(body, "username", k_username_bytes_max);
    if (const auto pem = body.optional_text("tls_ca_pem", k_ca_pem_bytes_max)) {
        if (!looks_like_pem(*pem)) body.wrong("tls_ca_pem", "invalid");
        to.ca_pem = *pem;
    }
    if (const auto* host = body.value("imap", reads_replies)) {
        to.imap = read_host(*host, "config.imap", errors);
    }
    if (const auto* host = body.value("smtp", true)) {
        to.smtp = read_host(*host, "config.smtp", errors);
    }
    ask.region = body.optional_text("region", k_region_bytes_max).value_or("");
    if (has_control(ask.region)) body.wrong("region", "invalid");
    body.finish();
}

void read_credential(const Json& json,
                     integrations::ConnectAsk& ask,
                     std::vector<FieldError>& errors) {
    ObjectReader body(json, "credential", errors);
    const bool is_there = body.value("password", false) != nullptr;
    ask.credential = read_secret(body, "password", true);
    if (is_there && ask.credential.clear.empty() && ask.credential.boxed.empty()) {
        body.wrong("password", "invalid");
    }
    body.finish();
}

keys::Verbs verb_of(std::string_view name) {
    if (name == "send") return static_cast<keys::Verbs>(keys::Verb::send);
    if (name == "read_replies") return static_cast<keys::Verbs>(keys::Verb::read_replies);
    return 0;
}

void read_keep_working(ObjectReader& body,
                       integrations::ConnectAsk& ask,
                       std::vector<FieldError>& errors) {
    const auto* json = body.value("keep_working", false);
    if (json == nullptr) return;
    ObjectReader inner(*json, "keep_working", errors);
    ask.keep_working = read_grant(inner);
    inner.finish();
}

/// What both have: credential, the new secret, the grant for later.
void read_shared(ObjectReader& body, ConnectBody& out, std::vector<FieldError>& errors) {
    if (const auto* credential = body.value("credential", true)) {
        read_credential(*credential, out.ask, errors);
    }
    auto secret = read_new_secret(body, "shared_secret");
    out.ask.generate = secret.generate;
    out.ask.shares = secret.shares;
    out.ask.shared_secret = std::move(secret.typed);
    out.is_empty_secret = secret.is_empty_text;
    read_keep_working(body, out.ask, errors);
}

}  // namespace

std::string read_name(ObjectReader& body) {
    return line(body, "name", k_name_bytes_max);
}

integrations::GrantAsk read_grant(ObjectReader& body) {
    integrations::GrantAsk grant;
    body.items("verbs", k_verbs_max, true, [&](const Json& item, const std::string&) {
        const auto verb = verb_of(item.text().value_or(""));
        if (verb == 0) body.wrong("verbs", "invalid");
        grant.verbs = static_cast<keys::Verbs>(grant.verbs | verb);
    });
    if (const auto* verbs = body.value("verbs", false);
        verbs != nullptr && verbs->items() != nullptr && verbs->items()->empty()) {
        body.wrong("verbs", "missing");
    }
    grant.expires_in_s = read_duration_s(body, "expires_in", integrations::k_grant_min_s,
                                         integrations::k_grant_max_s, std::nullopt);
    grant.hourly_ceiling =
        static_cast<std::uint32_t>(body.optional_integer("hourly_ceiling", 1, k_hourly_ceiling_max)
                                       .value_or(integrations::k_hourly_ceiling_default));
    return grant;
}

ConnectBody read_connect(const Json& json, std::vector<FieldError>& errors) {
    ObjectReader body(json, "", errors);
    ConnectBody out;
    const bool has_kind = body.value("kind", true) != nullptr;
    const auto kind = body.optional_text("kind", k_word_bytes_max);
    if (has_kind && kind && *kind != "imap") body.wrong("kind", "unknown_kind");
    out.ask.name = line(body, "name", k_name_bytes_max);
    out.ask.level = body.optional_text("level", k_word_bytes_max).value_or("replies");
    if (out.ask.level != "replies" && out.ask.level != "send_only") body.wrong("level", "invalid");
    if (const auto* config = body.value("config", true)) {
        read_config(*config, out.ask.level != "send_only", out.ask, errors);
    }
    read_shared(body, out, errors);
    body.finish();
    return out;
}

ConnectBody read_reconnect(const Json& json, std::vector<FieldError>& errors) {
    ObjectReader body(json, "", errors);
    ConnectBody out;
    if (const auto* config = body.value("config", false)) {
        read_config(*config, false, out.ask, errors);
    }
    read_shared(body, out, errors);
    body.finish();
    return out;
}

}  // namespace postern::api
