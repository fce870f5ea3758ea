#pragma once

#include "foundation/base/error.h"

namespace postern::webauthn {

/// Why a registration or an assertion is refused: one for each check, so that a test can tell which
/// one did it. What an outsider is told is up to the caller.
enum class WebauthnError {
    malformed_client_data,
    wrong_type,
    wrong_challenge,
    wrong_origin,
    cross_origin,
    malformed_attestation,
    wrong_attestation,  ///< a self attestation, or `none`, that is not what it says
    malformed_authenticator_data,
    no_credential,
    unasked_credential,
    credential_id_too_long,
    wrong_relying_party,
    user_not_present,
    user_not_verified,
    wrong_backup_state,
    backup_eligibility_changed,
    malformed_key,
    unsupported_algorithm,
    unsupported_curve,
    wrong_key_type,
    weak_key,
    no_point,
    wrong_signature,
    counter_not_grown,
};

constexpr ErrorInfo describe(WebauthnError error) {
    switch (error) {
        case WebauthnError::malformed_client_data:
            return {"webauthn_malformed_client_data", "The browser's part cannot be read."};
        case WebauthnError::wrong_type:
            return {"webauthn_wrong_type", "This was made for something else."};
        case WebauthnError::wrong_challenge:
            return {"webauthn_wrong_challenge", "This answers another challenge."};
        case WebauthnError::wrong_origin:
            return {"webauthn_wrong_origin", "This was made for another site."};
        case WebauthnError::cross_origin:
            return {"webauthn_cross_origin", "This was made inside another site's page."};
        case WebauthnError::malformed_attestation:
            return {"webauthn_malformed_attestation", "The attestation cannot be read."};
        case WebauthnError::wrong_attestation:
            return {"webauthn_wrong_attestation", "The attestation does not hold."};
        case WebauthnError::malformed_authenticator_data:
            return {"webauthn_malformed_authenticator_data",
                    "The authenticator's part cannot be read."};
        case WebauthnError::no_credential:
            return {"webauthn_no_credential", "The authenticator made no key."};
        case WebauthnError::unasked_credential:
            return {"webauthn_unasked_credential", "The authenticator made a key unasked."};
        case WebauthnError::credential_id_too_long:
            return {"webauthn_credential_id_too_long", "The key's id is too long."};
        case WebauthnError::wrong_relying_party:
            return {"webauthn_wrong_relying_party", "The key belongs to another site."};
        case WebauthnError::user_not_present:
            return {"webauthn_user_not_present", "Nobody touched the authenticator."};
        case WebauthnError::user_not_verified:
            return {"webauthn_user_not_verified",
                    "The authenticator did not check who you are (PIN, fingerprint or face)."};
        case WebauthnError::wrong_backup_state:
            return {"webauthn_wrong_backup_state",
                    "The key says that it is backed up and that it cannot be."};
        case WebauthnError::backup_eligibility_changed:
            return {"webauthn_backup_eligibility_changed",
                    "The key says something else about backups than when it was made."};
        case WebauthnError::malformed_key:
            return {"webauthn_malformed_key", "The public key cannot be read."};
        case WebauthnError::unsupported_algorithm:
            return {"webauthn_unsupported_algorithm", "The key is of a kind that is not taken."};
        case WebauthnError::unsupported_curve:
            return {"webauthn_unsupported_curve", "The key is of a curve that is not taken."};
        case WebauthnError::wrong_key_type:
            return {"webauthn_wrong_key_type", "The key does not fit its algorithm."};
        case WebauthnError::weak_key: return {"webauthn_weak_key", "The key is too weak."};
        case WebauthnError::no_point:
            return {"webauthn_no_point", "The public key is no point of its curve."};
        case WebauthnError::wrong_signature:
            return {"webauthn_wrong_signature", "The signature is wrong."};
        case WebauthnError::counter_not_grown:
            return {"webauthn_counter_not_grown",
                    "The authenticator's counter has not grown: the key may have been copied."};
    }
    return {"webauthn_malformed_client_data", "The browser's part cannot be read."};
}

}  // namespace postern::webauthn
