#pragma once

#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/os/fd.h"

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

/// Writes the root key to `file` anew: under the passphrase, or as it is where that is empty. It is
/// the same key: nothing else changes. Errors: weak_secret, disk_full, storage_failed.
struct RewrapRootKey {
    static constexpr std::uint16_t k_method = 301;
    struct Answer {
        std::string fingerprint;
        auto wire() { return std::tie(fingerprint); }
    };
    using Failure = KeyError;
    os::Fd file;
    Secret passphrase;
    auto wire() { return std::tie(file, passphrase); }
};

/// Begins what is asked for, all of it or nothing, and works it off in the background; where one is
/// under way already, goes on with that. Errors: disk_full, storage_failed.
struct BeginRotation {
    static constexpr std::uint16_t k_method = 302;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    bool keyring = false;     ///< the keyring key
    bool workspaces = false;  ///< every workspace's key
    auto wire() { return std::tie(keyring, workspaces); }
};
struct GetRotation {
    static constexpr std::uint16_t k_method = 303;
    struct Answer {
        bool running = false;
        std::uint64_t moved = 0;  ///< wraps, by this keeper
        std::string failure;      ///< why it does not go on; empty: it does, or is done
        auto wire() { return std::tie(running, moved, failure); }
    };
    using Failure = KeyError;
    auto wire() { return std::tie(); }
};

/// Writes a new root key to `file`. Once it is on disk under its name, CommitRootKey puts the
/// keyring under it. Errors: no_recovery_kit, weak_secret, disk_full, storage_failed.
struct PrepareRootKey {
    static constexpr std::uint16_t k_method = 304;
    struct Answer {
        std::string fingerprint;
        auto wire() { return std::tie(fingerprint); }
    };
    using Failure = KeyError;
    os::Fd file;
    Secret passphrase;  ///< empty: under none
    auto wire() { return std::tie(file, passphrase); }
};
/// Errors: stale_epoch when another one was prepared since.
struct CommitRootKey {
    static constexpr std::uint16_t k_method = 305;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    std::string fingerprint;
    auto wire() { return std::tie(fingerprint); }
};

}  // namespace postern::keys
