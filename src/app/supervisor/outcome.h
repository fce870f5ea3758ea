#pragma once

#include "app/control/control_protocol.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"

#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>

namespace postern::app::supervisor {

/// A child's refusal comes as words: the enums behind it are of modules that are not linked here.
template <typename T = void>
using Outcome = std::expected<T, control::Refusal>;
template <typename T = void>
using OutcomeTask = boost::asio::awaitable<Outcome<T>>;

[[nodiscard]] inline std::unexpected<control::Refusal> refuse(const Error& error) {
    return std::unexpected(control::refusal_of(error));
}
template <ErrorEnum E>
[[nodiscard]] std::unexpected<control::Refusal> refuse(E code, std::string detail = {}) {
    return refuse(Error(code, std::move(detail)));
}

enum class SupervisorError {
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
    no_passphrase,
    passphrase_too_long,
    passphrases_differ,
    certificate_unreadable,
    program_missing,
    child_failed,
    server_silent,
    config_invalid,
    store_file_unreadable,
    other_engine,
    no_target,
    move_unfinished,
    interrupted,
};

constexpr ErrorInfo describe(SupervisorError error) {
    switch (error) {
        case SupervisorError::not_set_up:
            return {"not_set_up", "There is no installation here; make one with `postern init`."};
        case SupervisorError::half_made:
            return {"half_made",
                    "Setting up was interrupted here; `postern init` once more starts afresh."};
        case SupervisorError::already_set_up:
            return {"already_set_up",
                    "There is an installation here already; nothing was changed."};
        case SupervisorError::folder_not_empty:
            return {"folder_not_empty", "The folder has other things in it; nothing was changed."};
        case SupervisorError::folder_open:
            return {"folder_open", "Others may enter the data directory; its mode must be 0700."};
        case SupervisorError::folder_of_another:
            return {"folder_of_another",
                    "The data directory belongs to another user; run this as that user."};
        case SupervisorError::in_use:
            return {"in_use", "Another Postern process uses this data directory already."};
        case SupervisorError::root_key_missing:
            return {"root_key_missing",
                    "The root key cannot be opened; `postern recover` restores it from the "
                    "recovery kit."};
        case SupervisorError::root_key_exists:
            return {"root_key_exists", "There is a root key already; it is never overwritten."};
        case SupervisorError::root_key_unsafe:
            return {"root_key_unsafe",
                    "Others may read the root key; it must be a file of mode 0400."};
        case SupervisorError::root_key_unsettled:
            return {"root_key_unsettled",
                    "An earlier change of the root key was interrupted. Restart the server, which "
                    "finds out which key fits, and try again."};
        case SupervisorError::other_root_key:
            return {"other_root_key",
                    "The running server has another root key file; nothing was changed."};
        case SupervisorError::no_passphrase:
            return {"passphrase_needed",
                    "The root key is under a passphrase: give it on a terminal, by a descriptor "
                    "(--passphrase-fd) or as systemd credential postern-passphrase."};
        case SupervisorError::passphrase_too_long:
            return {"passphrase_too_long", "A passphrase has at most 1,024 bytes."};
        case SupervisorError::passphrases_differ:
            return {"passphrases_differ", "The two are not the same; nothing was changed."};
        case SupervisorError::certificate_unreadable:
            return {"certificate_unreadable", "The certificate or its key cannot be read."};
        case SupervisorError::program_missing:
            return {"program_missing", "A program of Postern is not where it should be."};
        case SupervisorError::child_failed:
            return {"child_failed", "A process of the server ended before it was ready."};
        case SupervisorError::server_silent:
            return {"server_silent", "The running server does not answer; is it stopping?"};
        case SupervisorError::store_file_unreadable:
            return {"store_file_unreadable", "A file that [store] names cannot be read."};
        case SupervisorError::other_engine:
            return {"other_engine",
                    "The stores of this installation lie on the other engine than [store] kind "
                    "says; `postern migrate-store` moves them."};
        case SupervisorError::no_target:
            return {"no_target",
                    "[store] hosts and [store.keyring] hosts must name the PostgreSQL servers."};
        case SupervisorError::move_unfinished:
            return {"move_unfinished",
                    "The stores were being moved to another engine; the same `postern "
                    "migrate-store` once more finishes that."};
        case SupervisorError::config_invalid:
            return {"config_invalid", "The configuration is not valid."};
        case SupervisorError::interrupted: return {"interrupted", "Stopped before it was ready."};
    }
    return {"internal_error", "Something went wrong inside."};
}

}  // namespace postern::app::supervisor
