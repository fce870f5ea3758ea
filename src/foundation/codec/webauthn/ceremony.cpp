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
    // Step: C.type is webauthn.create, or webauthn.get.
    if (data.type != type) return fail(WebauthnError::wrong_type);
    // Step: C.challenge is options.challenge in base64url.
    if (expected.challenge.empty() ||
        !primitives.equal_in_constant_time(data.challenge, expected.challenge)) {
        return fail(WebauthnError::wrong_challenge);
    }
    // Step: C.origin is expected by the relying party.
    if (std::ranges::find(expected.origins, data.origin) == expected.origins.end())
        return fail(WebauthnError::wrong_origin);
    // Steps: C.crossOrigin, C.topOrigin. No page of ours stands in another's frame.
    if (data.is_cross_origin) return fail(WebauthnError::cross_origin);
    return {};
}

Result<> check_flags(const Primitives& primitives,
                     const Expected& expected,
                     const AuthenticatorData& data) {
    // Step: rpIdHash is the SHA-256 of the expected RP ID.
    if (data.rp_id_hash != primitives.sha256(as_bytes(expected.rp_id)))
        return fail(WebauthnError::wrong_relying_party);
    // Step: UP is set.
    if (!data.user_present) return fail(WebauthnError::user_not_present);
    // Step: UV is set where user verification is required.
    if (expected.user_verification_required && !data.user_verified)
        return fail(WebauthnError::user_not_verified);
    // Step: BS is not set where BE is not.
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
