#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/primitives.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::webauthn {

/// What the relying party asked for, of a registration or of an assertion.
struct Expected {
    Bytes challenge;                   ///< fresh random bytes, taken once: the caller sees to that
    std::vector<std::string> origins;  ///< "https://postern.example", compared byte by byte
    std::string rp_id;                 ///< "postern.example"
    bool user_verification_required = false;
};

/// The checks of the client data that both ceremonies have in common; `type` is "webauthn.create"
/// or "webauthn.get". Errors: malformed_client_data, wrong_type, wrong_challenge, wrong_origin,
/// cross_origin.
[[nodiscard]] Result<> check_client_data(const Primitives& primitives,
                                         const Expected& expected,
                                         std::string_view type,
                                         ByteView json);
/// Those of the authenticator data. Errors: wrong_relying_party, user_not_present,
/// user_not_verified, wrong_backup_state.
[[nodiscard]] Result<> check_flags(const Primitives& primitives,
                                   const Expected& expected,
                                   const AuthenticatorData& data);
/// What the authenticator signs: its data and the SHA-256 of the client data.
[[nodiscard]] Bytes signed_message(const Primitives& primitives,
                                   ByteView authenticator_data,
                                   ByteView client_data_json);

}  // namespace postern::webauthn
