#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/cose_key.h"

#include <array>
#include <cstdint>
#include <optional>

namespace postern::webauthn {

using Aaguid = std::array<std::uint8_t, 16>;
using RpIdHash = std::array<std::uint8_t, 32>;  ///< SHA-256 of the relying party's id

/// A new credential (Web Authentication Level 3 section 6.5.1).
struct AttestedCredential {
    Aaguid aaguid{};  ///< the authenticator's model; zeroes where it does not tell
    Bytes id;         ///< 1 to 1023 bytes
    Bytes cose_key;   ///< as it came, to be kept
    CoseKey key;
};

/// What the authenticator says and signs (section 6.1).
struct AuthenticatorData {
    RpIdHash rp_id_hash{};
    bool user_present = false;
    bool user_verified = false;
    bool backup_eligible = false;  ///< may be copied to other devices: a synced passkey
    bool backed_up = false;
    std::uint32_t sign_count = 0;
    std::optional<AttestedCredential> credential;
};

/// Extensions are read past, where they are a well-formed map. Errors:
/// malformed_authenticator_data, credential_id_too_long, and all of parse_cose_key.
[[nodiscard]] Result<AuthenticatorData> parse_authenticator_data(ByteView bytes);

}  // namespace postern::webauthn
