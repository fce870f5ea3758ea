#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace postern::identity {

/// What is sealed of a passkey.
struct PasskeyRecord {
    static constexpr std::uint8_t k_version = 1;
    PersonId person;  ///< whose it is: a row that is moved to somebody else does not count
    Bytes id;
    Bytes public_key;  ///< COSE_Key
    Bytes aaguid;      ///< what the authenticator says that it is: nobody vouches for it
    bool backup_eligible = false;
    /// When it was made, beside a fresh proof of the person's. Section 4, uvInitialized: whoever
    /// finds a key without a PIN can set one, so that verifying later says nothing of the person.
    bool user_verified = false;
    std::vector<std::string> transports;
    auto wire() {
        return std::tie(person, id, public_key, aaguid, backup_eligible, user_verified, transports);
    }
};

}  // namespace postern::identity
