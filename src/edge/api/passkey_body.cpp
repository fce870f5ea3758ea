#include "edge/api/passkey_body.h"

#include "features/identity/passkey_store.h"
#include "features/identity/passkeys.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/limits.h"

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

using Errors = std::vector<codec::FieldError>;

constexpr std::size_t k_type_bytes_max = 32;
constexpr std::size_t k_user_handle_bytes_max = 64;  ///< section 5.4.3

constexpr std::size_t as_base64url(std::size_t bytes) {
    return (bytes * 4 + 2) / 3;
}

/// Decoded; at least one byte.
Bytes read_bytes(codec::ObjectReader& reader, std::string_view name, std::size_t bytes_max) {
    const auto text = reader.optional_text(name, as_base64url(bytes_max));
    if (!text) {
        if (reader.value(name, false) == nullptr) reader.wrong(name, "missing");
        return {};
    }
    auto bytes = codec::parse_base64url(*text);
    if (!bytes || bytes->empty()) {
        reader.wrong(name, "invalid");
        return {};
    }
    return std::move(*bytes);
}

/// As sections 5.8.4 and 5.2.1 have them: unknown ones are kept, they may be of a newer browser.
bool is_transport(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::vector<std::string> read_transports(codec::ObjectReader& response) {
    std::vector<std::string> out;
    response.items("transports", identity::k_transports_max, false,
                   [&](const codec::Json& item, const std::string&) {
                       const auto text = item.text();
                       const bool is_good = text && is_transport(*text) &&
                                            text->size() <= identity::k_transport_bytes_max;
                       if (is_good) out.emplace_back(*text);
                       if (!is_good) response.wrong("transports", "invalid");
                   });
    return out;
}

/// The members that both have; nothing after an error.
struct Parts {
    Bytes id;
    const codec::Json* response = nullptr;
    std::string path;  ///< of the response
};
std::optional<Parts> read_parts(codec::ObjectReader& body, std::string_view name, Errors& errors) {
    const auto* const json = body.value(name, true);
    if (json == nullptr) return std::nullopt;
    codec::ObjectReader credential(*json, std::string(name), errors);
    const auto type = credential.text("type", k_type_bytes_max);
    if (errors.empty() && type != "public-key") credential.wrong("type", "invalid");
    auto id = read_bytes(credential, "id", webauthn::k_credential_id_bytes_max);
    const auto* const response = credential.value("response", true);
    if (response == nullptr || !errors.empty()) return std::nullopt;
    return Parts{std::move(id), response, credential.path_of("response")};
}

void write_known(codec::JsonWriter& json,
                 std::string_view name,
                 const std::vector<identity::KnownCredential>& known) {
    json.begin_array(name);
    for (const auto& one : known) {
        json.begin_object().field("type", "public-key").field("id", codec::base64url(one.id));
        json.begin_array("transports");
        for (const auto& transport : one.transports)
            json.item(transport);
        json.end_array().end_object();
    }
    json.end_array();
}

constexpr std::int64_t k_timeout_ms = identity::k_challenge_s * 1000;

}  // namespace

identity::NewPasskey read_new_passkey(codec::ObjectReader& body,
                                      std::string_view name,
                                      Errors& errors) {
    const auto parts = read_parts(body, name, errors);
    if (!parts) return {};
    codec::ObjectReader response(*parts->response, parts->path, errors);
    identity::NewPasskey out;
    out.client_data_json =
        read_bytes(response, "clientDataJSON", webauthn::k_client_data_bytes_max);
    out.attestation_object =
        read_bytes(response, "attestationObject", webauthn::k_attestation_object_bytes_max);
    out.transports = read_transports(response);
    return out;
}

identity::ShownPasskey read_shown_passkey(codec::ObjectReader& body,
                                          std::string_view name,
                                          Errors& errors) {
    auto parts = read_parts(body, name, errors);
    if (!parts) return {};
    codec::ObjectReader response(*parts->response, parts->path, errors);
    identity::ShownPasskey out;
    out.credential_id = std::move(parts->id);
    out.client_data_json =
        read_bytes(response, "clientDataJSON", webauthn::k_client_data_bytes_max);
    out.authenticator_data =
        read_bytes(response, "authenticatorData", webauthn::k_authenticator_data_bytes_max);
    out.signature = read_bytes(response, "signature", webauthn::k_signature_bytes_max);
    if (response.value("userHandle", false) != nullptr)
        out.user_handle = read_bytes(response, "userHandle", k_user_handle_bytes_max);
    return out;
}

std::string creation_options_json(const identity::CreationOptions& options,
                                  const identity::RelyingParty& party) {
    codec::JsonWriter json;
    json.begin_object();
    json.begin_object("rp").field("id", party.id).field("name", "Postern").end_object();
    json.begin_object("user")
        .field("id", codec::base64url(options.user_handle))
        .field("name", options.account)
        .field("displayName", options.account)
        .end_object();
    json.field("challenge", codec::base64url(options.challenge));
    json.begin_array("pubKeyCredParams");
    for (const auto algorithm :
         {webauthn::Algorithm::es256, webauthn::Algorithm::eddsa, webauthn::Algorithm::rs256}) {
        json.begin_object()
            .field("type", "public-key")
            .field("alg", static_cast<std::int64_t>(algorithm))
            .end_object();
    }
    json.end_array().field("timeout", k_timeout_ms);
    write_known(json, "excludeCredentials", options.known);
    json.begin_object("authenticatorSelection")
        .field("residentKey", "preferred")
        .field("requireResidentKey", false)
        .field("userVerification", "preferred")
        .end_object();
    json.field("attestation", "none").end_object();
    return json.take();
}

std::string request_options_json(const identity::RequestOptions& options,
                                 const identity::RelyingParty& party,
                                 std::string_view user_verification) {
    codec::JsonWriter json;
    json.begin_object()
        .field("challenge", codec::base64url(options.challenge))
        .field("timeout", k_timeout_ms)
        .field("rpId", party.id);
    write_known(json, "allowCredentials", options.known);
    json.field("userVerification", user_verification).end_object();
    return json.take();
}

}  // namespace postern::api
