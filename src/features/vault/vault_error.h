#pragma once

#include "foundation/base/error.h"

namespace postern::vault {

/// What stops keeper from starting, or a recovery text from being read. What it refuses while it
/// runs is keys::KeyError.
enum class VaultError {
    wrong_root_key,
    bad_root_key_file,
    passphrase_needed,
    wrong_passphrase,
    bad_recovery_text,
    newer_recovery_text,
    shares_do_not_fit,
    no_recovery_kit,
    no_keyring,
    keyring_exists,
    keyring_damaged,
};

constexpr ErrorInfo describe(VaultError error) {
    switch (error) {
        case VaultError::wrong_root_key:
            return {"wrong_root_key",
                    "This root key does not belong to this keyring. Put the right file in its "
                    "place, or move this one away and run `postern recover`."};
        case VaultError::bad_root_key_file:
            return {"bad_root_key_file",
                    "The root key file does not hold a root key. Move it away; `postern recover` "
                    "makes it anew from the recovery kit."};
        case VaultError::passphrase_needed:
            return {
                "passphrase_needed",
                "The root key is under a passphrase, and none was given: give it on a terminal, "
                "by a descriptor (--passphrase-fd) or as systemd credential "
                "postern-passphrase."};
        case VaultError::wrong_passphrase:
            return {"wrong_root_key",
                    "This root key does not belong to this keyring, or its passphrase is another. "
                    "Please try again."};
        case VaultError::bad_recovery_text:
            return {"bad_recovery_text", "This is not a recovery share; please check for typos."};
        case VaultError::newer_recovery_text:
            return {"newer_recovery_text",
                    "The recovery share is of a newer version; use the program that made it, or a "
                    "newer one."};
        case VaultError::shares_do_not_fit:
            return {"shares_do_not_fit",
                    "These shares do not restore a key: it takes different shares of one kit, as "
                    "many as stands on them."};
        case VaultError::no_recovery_kit:
            return {"no_recovery_kit", "The keyring has no recovery kit that these shares are of."};
        case VaultError::no_keyring:
            return {"no_keyring",
                    "The keyring is missing. Put it back from a copy: without it nothing that is "
                    "stored can be read."};
        case VaultError::keyring_exists:
            return {"keyring_exists", "There is a keyring here already."};
        case VaultError::keyring_damaged: break;
    }
    return {"keyring_damaged", "The keyring is damaged; put a copy of it in its place."};
}

}  // namespace postern::vault
