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
    no_passphrase,
    passphrase_too_long,
    passphrases_differ,
    certificate_unreadable,
    own_mail_unreadable,
    log_server_unreadable,
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
        case SupervisorError::no_passphrase:
            return {"passphrase_needed",
                    "The root key is under a passphrase: give it on a terminal, by a descriptor "
                    "(--passphrase-fd) or as systemd credential postern-passphrase."};
        case SupervisorError::passphrase_too_long:
            return {"passphrase_too_long", "A passphrase has at most 1,024 bytes."};
        case SupervisorError::passphrases_differ:
            return {"passphrases_differ",
                    "The two are not the same; nothing was changed. Please try again."};
        case SupervisorError::certificate_unreadable:
            return {"certificate_unreadable",
                    "The certificate or its key cannot be read; set [tls] certificate and key to "
                    "files that whoever starts the server may read."};
        case SupervisorError::own_mail_unreadable:
            return {"own_mail_unreadable",
                    "A file of [smtp] cannot be read; set password_file and ca_file to files that "
                    "whoever starts the server may read."};
        case SupervisorError::log_server_unreadable:
            return {"log_server_unreadable",
                    "A file of [audit] anchor_syslog cannot be read; set its ca_file, "
                    "certificate_file and key_file to files that whoever starts the server may "
                    "read."};
        case SupervisorError::program_missing:
            return {"program_missing",
                    "A program of Postern is not where it should be; install it once more."};
        case SupervisorError::child_failed:
            return {"child_failed",
                    "A process of the server ended before it was ready; the log before this line "
                    "says why."};
        case SupervisorError::server_silent:
            return {"server_silent",
                    "The running server does not answer: it is starting or stopping. Please try "
                    "again in a moment."};
        case SupervisorError::store_file_unreadable:
            return {"store_file_unreadable",
                    "A file that [store] names cannot be read by whoever starts the server; mend "
                    "its name or its mode."};
        case SupervisorError::other_engine:
            return {"other_engine",
                    "The stores of this installation lie on the other engine than [store] kind "
                    "says; `postern migrate-store` moves them."};
        case SupervisorError::no_target:
            return {"no_target",
                    "Set [store] hosts and [store.keyring] hosts to the PostgreSQL servers, in the "
                    "file "
                    "that --config names."};
        case SupervisorError::move_unfinished:
            return {"move_unfinished",
                    "The stores were being moved to another engine; the same `postern "
                    "migrate-store` once more finishes that."};
        case SupervisorError::config_invalid:
            return {"config_invalid",
                    "The configuration is not valid; mend it until `postern check-config` is "
                    "content."};
        case SupervisorError::interrupted: return {"interrupted", "Stopped before it was ready."};
    }
    return {"internal_error", "Something went wrong inside."};
}

}  // namespace postern::app::supervisor
