// Oracle: what is taken, said in the plainest way, is taken as the same; no other issuer is; every
// address is https.
#include "features/identity/provider_metadata.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/json.h"
#include "platform/fetch/fetch_protocol.h"

#include <cstdint>
#include <string>

namespace {

constexpr const char* k_issuer = "https://login.example";

std::string plain(const postern::identity::ProviderMetadata& metadata) {
    using postern::fetch::ClientAuth;
    postern::codec::JsonWriter json;
    json.begin_object()
        .field("issuer", k_issuer)
        .field("authorization_endpoint", metadata.authorization_url)
        .field("token_endpoint", metadata.token_url)
        .field("jwks_uri", metadata.keys_url)
        .field("authorization_response_iss_parameter_supported", metadata.says_issuer)
        .begin_array("response_types_supported")
        .item("code")
        .end_array()
        .begin_array("id_token_signing_alg_values_supported")
        .item("RS256")
        .end_array()
        .begin_array("token_endpoint_auth_methods_supported")
        .item(metadata.auth == ClientAuth::post ? "client_secret_post" : "client_secret_basic")
        .end_array()
        .end_object();
    return json.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const postern::FuzzInput input(data, size);
    for (const bool has_secret : {false, true}) {
        const auto taken =
            postern::identity::parse_provider_metadata(input.bytes(), k_issuer, has_secret);
        if (!taken) continue;
        const auto text = plain(*taken);
        const auto again = postern::identity::parse_provider_metadata(postern::as_bytes(text),
                                                                      k_issuer, has_secret);
        POSTERN_CHECK(again.has_value());
        POSTERN_CHECK(again->authorization_url == taken->authorization_url);
        POSTERN_CHECK(again->token_url == taken->token_url && again->auth == taken->auth);
        POSTERN_CHECK(again->keys_url == taken->keys_url);
        POSTERN_CHECK(again->says_issuer == taken->says_issuer);
        POSTERN_CHECK(postern::codec::http::HttpsUrl::parse(taken->token_url).has_value());
        const std::string other = std::string(k_issuer) + "/";
        POSTERN_CHECK(
            !postern::identity::parse_provider_metadata(input.bytes(), other, has_secret));
    }
    return 0;
}
