#include "foundation/codec/webauthn/assertion.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/primitives.h"
#include "foundation/codec/webauthn/webauthn_error.h"

namespace postern::webauthn {

Result<Assertion> check_assertion(const Primitives& primitives,
                                  const Expected& expected,
                                  const StoredCredential& credential,
                                  const AssertionResponse& response) {
    POSTERN_TRY(const auto key, parse_cose_key(credential.public_key));
    if (!primitives.is_usable(key)) return fail(WebauthnError::no_point);
    // Steps on the client data: C.type, C.challenge, C.origin, C.crossOrigin, C.topOrigin.
    const auto client =
        check_client_data(primitives, expected, "webauthn.get", response.client_data_json);
    if (!client) return fail(client.error());
    POSTERN_TRY(const auto data, parse_authenticator_data(response.authenticator_data));
    // Section 6.1: AT must not be set where an assertion is signed.
    if (data.credential) return fail(WebauthnError::unasked_credential);
    // Steps on the authenticator data: rpIdHash, UP, UV, BE and BS.
    if (const auto flags = check_flags(primitives, expected, data); !flags)
        return fail(flags.error());
    // Step: currentBe is credentialRecord.backupEligible.
    if (data.backup_eligible != credential.backup_eligible)
        return fail(WebauthnError::backup_eligibility_changed);
    // Step: sig is a signature over authData and hash.
    const auto message =
        signed_message(primitives, response.authenticator_data, response.client_data_json);
    if (response.signature.size() > k_signature_bytes_max ||
        !primitives.verify(key, message, response.signature)) {
        return fail(WebauthnError::wrong_signature);
    }
    // Step: authData.signCount is above credentialRecord.signCount, unless both are 0.
    const bool has_counter = data.sign_count != 0 || credential.sign_count != 0;
    if (has_counter && data.sign_count <= credential.sign_count)
        return fail(WebauthnError::counter_not_grown);
    return Assertion{.sign_count = data.sign_count,
                     .user_verified = data.user_verified,
                     .backed_up = data.backed_up};
}

}  // namespace postern::webauthn
