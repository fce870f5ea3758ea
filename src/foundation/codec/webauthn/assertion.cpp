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
    // From "Let JSONtext be the result of running UTF-8 decode" to "If C.topOrigin is present".
    const auto client =
        check_client_data(primitives, expected, "webauthn.get", response.client_data_json);
    if (!client) return fail(client.error());
    POSTERN_TRY(const auto data, parse_authenticator_data(response.authenticator_data));
    // Section 6.1: "for assertion signatures, the AT flag MUST NOT be set".
    if (data.credential) return fail(WebauthnError::unasked_credential);
    // From "Verify that the rpIdHash" to "If the BE bit [...] is not set".
    if (const auto flags = check_flags(primitives, expected, data); !flags)
        return fail(flags.error());
    // "Compare currentBe and currentBs with credentialRecord.backupEligible".
    if (data.backup_eligible != credential.backup_eligible)
        return fail(WebauthnError::backup_eligibility_changed);
    // "Verify that sig is a valid signature over the binary concatenation of authData and hash."
    const auto message =
        signed_message(primitives, response.authenticator_data, response.client_data_json);
    if (response.signature.size() > k_signature_bytes_max ||
        !primitives.verify(key, message, response.signature)) {
        return fail(WebauthnError::wrong_signature);
    }
    // "If authData.signCount is nonzero or credentialRecord.signCount is nonzero".
    const bool has_counter = data.sign_count != 0 || credential.sign_count != 0;
    if (has_counter && data.sign_count <= credential.sign_count)
        return fail(WebauthnError::counter_not_grown);
    return Assertion{.sign_count = data.sign_count,
                     .user_verified = data.user_verified,
                     .backed_up = data.backed_up};
}

}  // namespace postern::webauthn
