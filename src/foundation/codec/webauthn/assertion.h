#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/primitives.h"

#include <cstdint>

namespace postern::webauthn {

/// What navigator.credentials.get() gave. Lifetime: looked at during the call only.
struct AssertionResponse {
    ByteView client_data_json;
    ByteView authenticator_data;
    ByteView signature;
};

/// What is kept of the credential that the response names: that it is one of the person's, and that
/// a user handle names the same person, the caller has looked up.
struct StoredCredential {
    Bytes public_key;  ///< COSE_Key, as check_registration gave it
    std::uint32_t sign_count = 0;
    bool backup_eligible = false;
};

/// What is kept from now on.
struct Assertion {
    std::uint32_t sign_count = 0;
    bool user_verified = false;
    bool backed_up = false;
};

/// Section 7.2 of Web Authentication Level 3 as far as it is a matter of bytes.
///
/// A counter that did not grow where there is one (it or the stored one is not 0) is refused, not
/// merely told: of two copies of one key, only the one that is ahead gets in. Store the new count
/// in the transaction that signs in, or two uses of one count get in.
///
/// Errors: all of WebauthnError but those of registrations (malformed_attestation,
/// wrong_attestation, no_credential, credential_id_too_long); those of the key are about the stored
/// one.
[[nodiscard]] Result<Assertion> check_assertion(const Primitives& primitives,
                                                const Expected& expected,
                                                const StoredCredential& credential,
                                                const AssertionResponse& response);

}  // namespace postern::webauthn
