#pragma once

#include "foundation/base/error.h"

namespace postern::imap {

enum class ImapError {
    wrong_state,
    bad_argument,
    argument_too_long,
    capability_missing,
    tls_required,
    no_sign_in_method,
    refused_sign_in,
    command_refused,
    no_such_folder,
    over_quota,
    limit_reached,
    server_unavailable,
    message_gone,
    literal_too_large,
    line_too_long,
    too_many_results,
    protocol_violation,
    connection_closed_by_server,
    local_stream_failed,
};

/// Codes are stable; texts say what a person can do about it.
constexpr ErrorInfo describe(ImapError error) {
    switch (error) {
        case ImapError::wrong_state:
            return {"imap_wrong_state", "The IMAP connection is not in a state for this command."};
        case ImapError::bad_argument:
            return {"imap_bad_argument", "A value cannot be sent to an IMAP server."};
        case ImapError::argument_too_long:
            return {"imap_argument_too_long", "The IMAP command would be too long."};
        case ImapError::capability_missing:
            return {"imap_capability_missing", "The IMAP server does not offer what is needed."};
        case ImapError::tls_required:
            return {"imap_tls_required", "A password is sent to an IMAP server only over TLS."};
        case ImapError::no_sign_in_method:
            return {"imap_no_sign_in_method", "The IMAP server accepts no password sign-in."};
        case ImapError::refused_sign_in:
            return {"imap_refused_sign_in", "The IMAP server refused the user name or password."};
        case ImapError::command_refused:
            return {"imap_command_refused", "The IMAP server refused a command."};
        case ImapError::no_such_folder:
            return {"imap_no_such_folder", "The folder does not exist on the IMAP server."};
        case ImapError::over_quota: return {"imap_over_quota", "The mailbox is full."};
        case ImapError::limit_reached:
            return {"imap_limit_reached", "The IMAP server's limit is reached; try again later."};
        case ImapError::server_unavailable:
            return {"imap_server_unavailable", "The IMAP server is temporarily unavailable."};
        case ImapError::message_gone:
            return {"imap_message_gone", "The mail is no longer in the folder."};
        case ImapError::literal_too_large:
            return {"imap_literal_too_large", "The IMAP server announced more than is allowed."};
        case ImapError::line_too_long:
            return {"imap_line_too_long", "The IMAP server sent a line that is too long."};
        case ImapError::too_many_results:
            return {"imap_too_many_results", "The IMAP server sent too many results."};
        case ImapError::protocol_violation:
            return {"imap_protocol_violation", "The server's answer is not valid IMAP."};
        case ImapError::connection_closed_by_server:
            return {"imap_connection_closed_by_server", "The IMAP server closed the connection."};
        case ImapError::local_stream_failed:
            return {"imap_local_stream_failed", "A mail could not be read or written locally."};
    }
    return {"imap_unknown", "An IMAP error."};
}

}  // namespace postern::imap
