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
            return {"wrong_root_key", "This root key does not belong to this keyring."};
        case VaultError::bad_root_key_file:
            return {"bad_root_key_file", "The root key file does not hold a root key."};
        case VaultError::passphrase_needed:
            return {"passphrase_needed", "The root key is under a passphrase, and none was given."};
        case VaultError::wrong_passphrase:
            return {"wrong_root_key", "This root key does not belong to this keyring."};
        case VaultError::bad_recovery_text:
            return {"bad_recovery_text", "This is not a recovery share; please check for typos."};
        case VaultError::newer_recovery_text:
            return {"newer_recovery_text", "The recovery share is of a newer version."};
        case VaultError::shares_do_not_fit:
            return {"shares_do_not_fit",
                    "These shares do not restore a key: it takes different shares of one kit, as "
                    "many as stands on them."};
        case VaultError::no_recovery_kit:
            return {"no_recovery_kit", "The keyring has no recovery kit that these shares are of."};
        case VaultError::no_keyring: return {"no_keyring", "There is no keyring here yet."};
        case VaultError::keyring_exists:
            return {"keyring_exists", "There is a keyring here already."};
        case VaultError::keyring_damaged: return {"keyring_damaged", "The keyring is damaged."};
    }
    return {"keyring_damaged", "The keyring is damaged."};
}

}  // namespace postern::vault
