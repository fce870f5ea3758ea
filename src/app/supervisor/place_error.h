#pragma once

#include "foundation/base/error.h"

namespace postern::app::supervisor {

/// What is wrong with a data directory or a root key's file, and what its operator does about it.
enum class PlaceError {
    not_set_up,
    half_made,
    already_set_up,
    folder_not_empty,
    folder_open,
    folder_of_another,
    in_use,
    root_key_missing,
    root_key_exists,
    root_key_unsafe,
    root_key_unsettled,
    other_root_key,
};

constexpr ErrorInfo describe(PlaceError error) {
    switch (error) {
        case PlaceError::not_set_up:
            return {"not_set_up", "There is no installation here; make one with `postern init`."};
        case PlaceError::half_made:
            return {"half_made",
                    "Setting up was interrupted here; `postern init` once more starts afresh."};
        case PlaceError::already_set_up:
            return {"already_set_up",
                    "There is an installation here already; nothing was changed. `postern serve` "
                    "starts it."};
        case PlaceError::folder_not_empty:
            return {
                "folder_not_empty",
                "The folder has other things in it; nothing was changed. Name an empty or a new "
                "one."};
        case PlaceError::folder_open:
            return {"folder_open",
                    "Others may enter the data directory; `chmod 0700` keeps them out."};
        case PlaceError::folder_of_another:
            return {"folder_of_another",
                    "The data directory belongs to another user; run this as that user."};
        case PlaceError::in_use:
            return {
                "in_use",
                "Another Postern process uses this data directory already; stop that one first."};
        case PlaceError::root_key_missing:
            return {"root_key_missing",
                    "The root key cannot be opened; `postern recover` restores it from the "
                    "recovery kit."};
        case PlaceError::root_key_exists:
            return {"root_key_exists",
                    "There is a root key already, which is never overwritten. If it is the wrong "
                    "one, move it away first."};
        case PlaceError::root_key_unsafe:
            return {"root_key_unsafe",
                    "Others may read the root key; `chmod 0400` keeps them out."};
        case PlaceError::root_key_unsettled:
            return {"root_key_unsettled",
                    "An earlier change of the root key was interrupted. Restart the server, which "
                    "finds out which key fits, and try again."};
        case PlaceError::other_root_key:
            return {"other_root_key",
                    "The running server has another root key file; nothing was changed. Name that "
                    "one with --root-key."};
    }
    return {"internal_error", "Something went wrong inside."};
}

}  // namespace postern::app::supervisor
