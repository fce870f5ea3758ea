#include "foundation/codec/jose/jws.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/jose/jose_error.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::jose {
namespace {

using codec::Json;

/// Of a key's number: an RSA modulus of 8192 bits.
constexpr std::size_t k_number_bytes_max = 1024;

const Json* find(const Json::Fields& fields, std::string_view name) {
    for (const auto& [field, value] : fields) {
        if (field == name) return &value;
    }
    return nullptr;
}

/// Empty where there is none, or one that is no text.
std::string_view text_of(const Json::Fields& fields, std::string_view name) {
    const auto* const value = find(fields, name);
    return value == nullptr ? std::string_view{} : value->text().value_or(std::string_view{});
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
    if (name == "RS256") return Algorithm::rs256;
    if (name == "ES256") return Algorithm::es256;
    return std::nullopt;
}

bool is_jwt(std::string_view type) {
    return type.empty() || type == "JWT" || type == "jwt";
}

Result<> read_header(ByteView bytes, Jws& jws) {
    const auto json = Json::parse(bytes);
    const auto* const fields = json ? json->fields() : nullptr;
    if (fields == nullptr) return fail(JoseError::malformed, "header");
    const auto algorithm = algorithm_named(text_of(*fields, "alg"));
    if (!algorithm) return fail(JoseError::unknown_algorithm);
    // What it says must be understood is not understood here: RFC 7515 section 4.1.11.
    for (const auto* name : {"crit", "b64", "zip", "enc"}) {
        if (find(*fields, name) != nullptr) return fail(JoseError::unknown_extension, name);
    }
    const auto* const type = find(*fields, "typ");
    if (type != nullptr && !is_jwt(type->text().value_or("?"))) return fail(JoseError::wrong_type);
    const auto* const key = find(*fields, "kid");
    if (key != nullptr && (!key->text() || key->text()->size() > k_key_id_bytes_max)) {
        return fail(JoseError::malformed, "kid");
    }
    jws.algorithm = *algorithm;
    if (key != nullptr) jws.key_id = *key->text();
    return {};
}

bool is_for_signatures(const Json::Fields& key) {
    const auto* const use = find(key, "use");
    if (use != nullptr && use->text() != "sig") return false;
    const auto* const operations = find(key, "key_ops");
    if (operations == nullptr) return true;
    const auto* const items = operations->items();
    return items != nullptr && std::any_of(items->begin(), items->end(), [](const Json& item) {
               return item.text() == "verify";
           });
}

std::optional<Jwk> read_key(const Json::Fields& fields) {
    Jwk key;
    const auto kind = text_of(fields, "kty");
    const bool is_rsa = kind == "RSA";
    const bool is_p256 = kind == "EC" && text_of(fields, "crv") == "P-256";
    if (!is_rsa && !is_p256) return std::nullopt;
    key.algorithm = is_rsa ? Algorithm::rs256 : Algorithm::es256;
    // A set that gives a private key away is not one to rely on.
    if (!is_for_signatures(fields) || find(fields, "d") != nullptr) return std::nullopt;
    const auto* const algorithm = find(fields, "alg");
    if (algorithm != nullptr &&
        algorithm_named(algorithm->text().value_or(std::string_view{})) != key.algorithm) {
        return std::nullopt;
    }
    key.key_id = text_of(fields, "kid");
    const auto first = codec::parse_base64url(text_of(fields, is_rsa ? "n" : "x"));
    const auto second = codec::parse_base64url(text_of(fields, is_rsa ? "e" : "y"));
    const auto is_number = [](const std::optional<Bytes>& bytes) {
        return bytes && !bytes->empty() && bytes->size() <= k_number_bytes_max;
    };
    if (key.key_id.size() > k_key_id_bytes_max || !is_number(first) || !is_number(second)) {
        return std::nullopt;
    }
    key.first = *first;
    key.second = *second;
    return key;
}

}  // namespace

Result<Jws> parse_jws(std::string_view compact) {
    if (compact.size() > k_token_bytes_max) return fail(JoseError::too_large);
    const auto first = compact.find('.');
    const auto second = first == std::string_view::npos ? first : compact.find('.', first + 1);
    if (second == std::string_view::npos) return fail(JoseError::malformed, "parts");
    const auto header = codec::parse_base64url(compact.substr(0, first));
    auto payload = codec::parse_base64url(compact.substr(first + 1, second - first - 1));
    auto signature = codec::parse_base64url(compact.substr(second + 1));
    if (!header || !payload || !signature) return fail(JoseError::malformed, "base64url");
    Jws jws;
    if (auto read = read_header(*header, jws); !read) return fail(std::move(read.error()));
    jws.signed_part = compact.substr(0, second);
    jws.payload = std::move(*payload);
    jws.signature = std::move(*signature);
    return jws;
}

Result<std::vector<Jwk>> parse_key_set(ByteView json) {
    if (json.size() > k_key_set_bytes_max) return fail(JoseError::too_large);
    const auto document = Json::parse(json);
    const auto* const fields = document ? document->fields() : nullptr;
    const auto* const list = fields == nullptr ? nullptr : find(*fields, "keys");
    const auto* const items = list == nullptr ? nullptr : list->items();
    if (items == nullptr) return fail(JoseError::malformed, "key set");
    if (items->size() > k_keys_max) return fail(JoseError::too_large, "keys");
    std::vector<Jwk> keys;
    for (const auto& item : *items) {
        if (item.fields() == nullptr) return fail(JoseError::malformed, "key");
        if (auto key = read_key(*item.fields())) keys.push_back(std::move(*key));
    }
    return keys;
}

}  // namespace postern::jose
