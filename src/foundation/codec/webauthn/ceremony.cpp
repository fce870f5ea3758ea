#include "foundation/codec/webauthn/ceremony.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/client_data.h"
#include "foundation/codec/webauthn/primitives.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <algorithm>
#include <string_view>

namespace postern::webauthn {

Result<> check_client_data(const Primitives& primitives,
                           const Expected& expected,
                           std::string_view type,
                           ByteView json) {
    POSTERN_TRY(const auto data, parse_client_data(json));
    // "Verify that the value of C.type is the string webauthn.create" (or webauthn.get).
    if (data.type != type) return fail(WebauthnError::wrong_type);
    // "Verify that the value of C.challenge equals the base64url encoding of options.challenge."
    if (expected.challenge.empty() ||
        !primitives.equal_in_constant_time(data.challenge, expected.challenge)) {
        return fail(WebauthnError::wrong_challenge);
    }
    // "Verify that the value of C.origin is an origin expected by the Relying Party."
    if (std::ranges::find(expected.origins, data.origin) == expected.origins.end())
        return fail(WebauthnError::wrong_origin);
    // "If C.crossOrigin is present and set to true", "If C.topOrigin is present": no page of ours
    // stands in another's frame.
    if (data.is_cross_origin) return fail(WebauthnError::cross_origin);
    return {};
}

Result<> check_flags(const Primitives& primitives,
                     const Expected& expected,
                     const AuthenticatorData& data) {
    // "Verify that the rpIdHash in authData is the SHA-256 hash of the RP ID expected."
    if (data.rp_id_hash != primitives.sha256(as_bytes(expected.rp_id)))
        return fail(WebauthnError::wrong_relying_party);
    // "Verify that the UP bit of the flags in authData is set."
    if (!data.user_present) return fail(WebauthnError::user_not_present);
    // "If the Relying Party requires user verification [...], verify that the UV bit [...] is set."
    if (expected.user_verification_required && !data.user_verified)
        return fail(WebauthnError::user_not_verified);
    // "If the BE bit of the flags in authData is not set, verify that the BS bit is not set."
    if (data.backed_up && !data.backup_eligible) return fail(WebauthnError::wrong_backup_state);
    return {};
}

Bytes signed_message(const Primitives& primitives,
                     ByteView authenticator_data,
                     ByteView client_data_json) {
    const auto hash = primitives.sha256(client_data_json);
    Bytes message = to_bytes(authenticator_data);
    message.insert(message.end(), hash.begin(), hash.end());
    return message;
}

}  // namespace postern::webauthn
