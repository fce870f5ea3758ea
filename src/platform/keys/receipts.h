#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <string_view>
#include <tuple>

namespace postern::keys {

/// What ended, as keeper's own keyring shows it.
enum class Ending : std::uint8_t { cut_off, reseal };
[[nodiscard]] constexpr std::string_view name_of(Ending ending) {
    return ending == Ending::reseal ? "reseal" : "cut_off";
}

/// Signs a receipt's canonical JSON behind crypto::receipt_statement(). Keeper looks into its
/// keyring and signs what it finds there to be true: the integration is cut off at this epoch (or
/// nothing is known of it, so that no key opens it), or this epoch is the present one; and `at_ms`
/// is now. Errors: not_ended.
struct SignReceipt {
    static constexpr std::uint16_t k_method = 9;
    struct Answer {
        Bytes signature;  ///< Ed25519, 64 bytes
        auto wire() { return std::tie(signature); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    Ending ending = Ending::cut_off;
    std::uint64_t epoch = 0;
    UnixMs at_ms = 0;
    Bytes message;  ///< at most 64 KiB
    auto wire() { return std::tie(workspace, integration, ending, epoch, at_ms, message); }
};

/// Signs a ledger entry's canonical JSON behind "postern ledger 1" and a zero byte. An entry says
/// that an ending was asked for, not that it was done.
struct SignLedger {
    static constexpr std::uint16_t k_method = 10;
    using Answer = SignReceipt::Answer;
    using Failure = KeyError;
    Bytes message;  ///< at most 64 KiB
    auto wire() { return std::tie(message); }
};

}  // namespace postern::keys
