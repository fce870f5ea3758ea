// Oracle: a token that is taken is made up of the very parts that were read; claims written in the
// plainest way are read as the same, are good for whom they are, and for nobody else.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/jose/id_token.h"
#include "foundation/codec/jose/jws.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using postern::as_bytes;
using postern::FuzzInput;
namespace codec = postern::codec;
namespace jose = postern::jose;

void judge_claims(const jose::IdToken& token) {
    codec::JsonWriter json;
    json.begin_object()
        .field("iss", token.issuer)
        .field("sub", token.subject)
        .field("exp", token.expires_at_s)
        .field("iat", token.issued_at_s)
        .begin_array("aud");
    for (const auto& one : token.audience)
        json.item(one);
    json.end_array();
    if (!token.nonce.empty()) json.field("nonce", token.nonce);
    if (token.authorized_party) json.field("azp", *token.authorized_party);
    if (token.signed_in_at_s) json.field("auth_time", *token.signed_in_at_s);
    if (!token.email.empty()) json.field("email", token.email);
    json.field("email_verified", token.email_is_verified).end_object();
    const auto text = json.take();
    const auto again = jose::parse_id_token(as_bytes(text));
    POSTERN_CHECK(again.has_value());
    POSTERN_CHECK(again->subject == token.subject && again->audience == token.audience);
    POSTERN_CHECK(again->email == token.email && again->nonce == token.nonce);

    jose::Expected expected{token.issuer, token.audience.front(), token.nonce, token.issued_at_s,
                            std::nullopt};
    if (!jose::judge(*again, expected)) return;
    POSTERN_CHECK(token.audience.size() == 1 && !token.nonce.empty());
    for (auto* const part : {&expected.issuer, &expected.client_id, &expected.nonce}) {
        const auto right = *part;
        *part += "x";
        POSTERN_CHECK(!jose::judge(*again, expected));
        *part = right;
    }
    expected.now_s = token.expires_at_s + jose::k_leeway_s;
    POSTERN_CHECK(!jose::judge(*again, expected));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const auto choice = input.byte() % 3;
    if (choice == 0) {
        const auto jws = jose::parse_jws(input.text());
        if (!jws) return 0;
        POSTERN_CHECK(input.text().size() <= jose::k_token_bytes_max);
        POSTERN_CHECK(jws->signed_part + "." + codec::base64url(jws->signature) == input.text());
        POSTERN_CHECK(jws->signed_part.ends_with("." + codec::base64url(jws->payload)));
    }
    if (choice == 1) {
        const auto keys = jose::parse_key_set(input.bytes());
        if (!keys) return 0;
        POSTERN_CHECK(keys->size() <= jose::k_keys_max);
        for (const auto& key : *keys)
            POSTERN_CHECK(!key.first.empty() && !key.second.empty());
    }
    if (choice == 2) {
        const auto token = jose::parse_id_token(input.bytes());
        if (token) judge_claims(*token);
    }
    return 0;
}
