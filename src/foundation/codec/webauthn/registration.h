#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/primitives.h"

#include <cstdint>

namespace postern::webauthn {

/// What navigator.credentials.create() gave. Lifetime: looked at during the call only.
struct RegistrationResponse {
    ByteView client_data_json;
    ByteView attestation_object;
};

/// A new key of a person.
struct Credential {
    Bytes id;          ///< 1 to 1023 bytes; not yet taken by anybody: the caller sees to that
    Bytes public_key;  ///< COSE_Key as it came
    Algorithm algorithm = Algorithm::es256;
    std::uint32_t sign_count = 0;
    Aaguid aaguid{};  ///< what the authenticator says that it is: nobody vouches for it
    bool backup_eligible = false;  ///< fixed for the key's life
    bool backed_up = false;
    bool user_verified = false;
};

/// Section 7.1 of Web Authentication Level 3 as far as it is a matter of bytes. Ours is to have
/// made the challenge, to take it once, and to refuse an id that is known already.
///
/// **The attestation is not used for trust**: a key is as good as the session that registers it.
/// Of the formats, `none` must be empty and the signature of a `packed` self attestation must be
/// right; every other statement, and one with certificates, is read past unchecked.
///
/// Errors: all of WebauthnError but those of assertions (wrong_signature, counter_not_grown,
/// backup_eligibility_changed, unasked_credential).
[[nodiscard]] Result<Credential> check_registration(const Primitives& primitives,
                                                    const Expected& expected,
                                                    const RegistrationResponse& response);

}  // namespace postern::webauthn
