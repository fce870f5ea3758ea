#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <tuple>

/// Secrets that front stores and courier uses: keeper opens them for courier alone, together with
/// the one place where they may be sent.
namespace postern::keys {

inline constexpr std::size_t k_destination_bytes_max = 128UL * 1024;
inline constexpr std::size_t k_destined_secret_bytes_max = 1000;

/// Front only. The secret may be empty: then it is the destination that nobody changes.
/// Errors: cannot_open (no such workspace), seal_key_changed.
struct SealDestined {
    static constexpr std::uint16_t k_method = 60;
    struct Answer {
        Bytes sealed;
        auto wire() { return std::tie(sealed); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::uint16_t column = 0;
    Bytes row;
    Bytes destination;
    SecretInput secret;
    auto wire() { return std::tie(workspace, column, row, destination, secret); }
};

/// Courier only. Errors: cannot_open.
struct OpenDestined {
    static constexpr std::uint16_t k_method = 61;
    struct Answer {
        Bytes destination;
        Secret secret;
        auto wire() { return std::tie(destination, secret); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::uint16_t column = 0;
    Bytes row;
    Bytes sealed;
    auto wire() { return std::tie(workspace, column, row, sealed); }
};

}  // namespace postern::keys
