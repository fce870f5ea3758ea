#pragma once

#include "foundation/base/secret.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

/// What the operator's command line asks of keeper itself, over DIR/run/keys.sock: what front must
/// neither see nor be able to ask for.
namespace postern::keys {

/// A new recovery kit in place of the one before, whose shares are void with it.
/// Errors: bad_scheme, disk_full.
struct MakeRecoveryKit {
    static constexpr std::uint16_t k_method = 300;
    struct Answer {
        std::vector<Secret> shares;  ///< one printable line each
        std::string fingerprint;     ///< of the root key that they restore
        auto wire() { return std::tie(shares, fingerprint); }
    };
    using Failure = KeyError;
    std::uint8_t shares = 1;
    std::uint8_t threshold = 1;
    auto wire() { return std::tie(shares, threshold); }
};

}  // namespace postern::keys
