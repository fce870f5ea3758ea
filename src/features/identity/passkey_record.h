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
    std::vector<std::string> transports;
    auto wire() { return std::tie(person, id, public_key, aaguid, backup_eligible, transports); }
};

}  // namespace postern::identity
