#pragma once

#include "foundation/base/error.h"

namespace postern::keys {

/// What keeper refuses, as its callers see it.
enum class KeyError {
    cannot_open,
    wrong_secret,
    weak_secret,
    secret_in_use,
    too_many_attempts,
    integration_sealed,
    integration_cut_off,
    unknown_integration,
    stale_epoch,
    ceiling_reached,
    seal_key_changed,
    ticket_refused,
    not_ended,
    bad_scheme,
    no_recovery_kit,
    keys_rotated,
    unknown_holder,
    last_holder,
    too_many_holders,
    disk_full,
    storage_failed,
};

constexpr ErrorInfo describe(KeyError error) {
    switch (error) {
        case KeyError::cannot_open: return {"cannot_open", "This cannot be opened."};
        case KeyError::wrong_secret:
            return {"wrong_secret", "The shared secret does not open this integration."};
        case KeyError::weak_secret:
            return {"weak_secret",
                    "This secret is too easy to guess. Use at least 12 varied characters, or let "
                    "one be generated."};
        case KeyError::secret_in_use:
            return {"secret_in_use",
                    "This secret opens the integration already. Choose another, or let one be "
                    "generated."};
        case KeyError::too_many_attempts:
            return {"too_many_attempts",
                    "Too many wrong secrets. Please wait before the next try."};
        case KeyError::integration_sealed:
            return {"integration_sealed", "The integration is sealed. Unlock it with its secret."};
        case KeyError::integration_cut_off:
            return {"integration_cut_off", "The integration was cut off. Reconnect it to use it."};
        case KeyError::unknown_integration: return {"not_found", "There is no such integration."};
        case KeyError::stale_epoch:
            return {"seal_changed", "The seal has changed meanwhile. Please try again."};
        case KeyError::ceiling_reached:
            return {"ceiling_reached", "The hourly ceiling of this grant is reached."};
        case KeyError::seal_key_changed:
            return {"seal_key_changed",
                    "The value is sealed to a key that is no longer in use. Fetch the seal key "
                    "again."};
        case KeyError::ticket_refused: return {"ticket_refused", "The ticket is not valid."};
        case KeyError::not_ended: return {"not_ended", "The keyring shows no such ending."};
        case KeyError::bad_scheme:
            return {"bad_scheme",
                    "That many shares cannot be made: 2 to 16 shares, of which 2 or more restore, "
                    "or a single one."};
        case KeyError::no_recovery_kit:
            return {"no_recovery_kit",
                    "There is no recovery kit that a new root key could be boxed to. Make one "
                    "first: `postern keyring recovery-kit`."};
        case KeyError::keys_rotated: return {"busy", "Keys are being rotated. Please try again."};
        case KeyError::unknown_holder: return {"not_found", "There is no such holder."};
        case KeyError::last_holder:
            return {"last_holder",
                    "The last holder cannot leave: nobody could open it. Cut it off instead."};
        case KeyError::too_many_holders:
            return {"too_many_holders", "An integration has at most 8 holders."};
        case KeyError::disk_full:
            return {"disk_full", "The server's disk is full. Nothing was changed."};
        case KeyError::storage_failed:
            return {"storage_failed", "The server could not store this. Nothing was changed."};
    }
    return {"storage_failed", "The server could not store this. Nothing was changed."};
}

}  // namespace postern::keys
