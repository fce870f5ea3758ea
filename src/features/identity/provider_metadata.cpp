#include "features/identity/provider_metadata.h"

#include "features/identity/provider_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/json.h"
#include "platform/fetch/fetch_protocol.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

using codec::Json;
using codec::http::HttpsUrl;

const Json* find(const Json::Fields& fields, std::string_view name) {
    for (const auto& [field, value] : fields) {
        if (field == name) return &value;
    }
    return nullptr;
}

std::string url_of(const Json::Fields& fields, std::string_view name) {
    const auto* const value = find(fields, name);
    const auto text = value == nullptr ? std::nullopt : value->text();
    if (!text || !HttpsUrl::parse(*text)) return {};
    return std::string(*text);
}

/// Whether a list has one of these; nothing where there is no list.
std::optional<bool> lists(const Json::Fields& fields,
                          std::string_view name,
                          std::initializer_list<std::string_view> words) {
    const auto* const value = find(fields, name);
    if (value == nullptr) return std::nullopt;
    const auto* const items = value->items();
    if (items == nullptr) return false;
    return std::any_of(items->begin(), items->end(), [&](const Json& item) {
        return std::any_of(words.begin(), words.end(),
                           [&](std::string_view word) { return item.text() == word; });
    });
}

/// Where it says nothing, it takes client_secret_basic (section 3).
fetch::ClientAuth auth_of(const Json::Fields& fields, bool has_secret) {
    constexpr std::string_view k_methods = "token_endpoint_auth_methods_supported";
    if (!has_secret) return fetch::ClientAuth::none;
    if (lists(fields, k_methods, {"client_secret_basic"}).value_or(true)) {
        return fetch::ClientAuth::basic;
    }
    if (lists(fields, k_methods, {"client_secret_post"}).value_or(false)) {
        return fetch::ClientAuth::post;
    }
    return fetch::ClientAuth::none;
}

}  // namespace

bool is_issuer(std::string_view text) {
    const auto url = HttpsUrl::parse(text);
    return text.size() <= k_issuer_bytes_max && url && !url->has_query();
}

bool is_client_id(std::string_view text) {
    return !text.empty() && text.size() <= k_client_id_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string metadata_url(std::string_view issuer) {
    if (issuer.ends_with('/')) issuer.remove_suffix(1);
    return std::string(issuer) + "/.well-known/openid-configuration";
}

Result<ProviderMetadata> parse_provider_metadata(ByteView json,
                                                 std::string_view issuer,
                                                 bool has_secret) {
    const auto document = Json::parse(json);
    const auto* const fields = document ? document->fields() : nullptr;
    if (fields == nullptr) return fail(ProviderError::unsuitable, "no JSON object");
    const auto* const named = find(*fields, "issuer");
    if (named == nullptr || named->text() != issuer) {
        return fail(ProviderError::unsuitable, "another issuer");
    }
    ProviderMetadata out;
    out.authorization_url = url_of(*fields, "authorization_endpoint");
    out.token_url = url_of(*fields, "token_endpoint");
    out.keys_url = url_of(*fields, "jwks_uri");
    if (out.authorization_url.empty() || out.token_url.empty() || out.keys_url.empty()) {
        return fail(ProviderError::unsuitable, "addresses");
    }
    // A provider that says nothing about PKCE may take it all the same: Microsoft's does.
    const bool is_suitable =
        lists(*fields, "response_types_supported", {"code"}).value_or(false) &&
        lists(*fields, "code_challenge_methods_supported", {"S256"}).value_or(true) &&
        lists(*fields, "id_token_signing_alg_values_supported", {"RS256", "ES256"}).value_or(false);
    if (!is_suitable) return fail(ProviderError::unsuitable, "what it supports");
    out.auth = auth_of(*fields, has_secret);
    if (has_secret && out.auth == fetch::ClientAuth::none) {
        return fail(ProviderError::unsuitable, "ways to name a client");
    }
    const auto* const says = find(*fields, "authorization_response_iss_parameter_supported");
    out.says_issuer = says != nullptr && says->boolean() == true;
    return out;
}

}  // namespace postern::identity
