#pragma once

#include "foundation/base/error.h"

namespace postern::smtp {

enum class SmtpError {
    wrong_state,
    bad_argument,
    bad_address,
    too_many_recipients,
    tls_required,
    starttls_not_offered,
    no_sign_in_method,
    message_too_large,
    eight_bit_not_offered,
    smtputf8_not_offered,
    refused,
    refused_sign_in,
    sign_in_unavailable,
    line_too_long,
    too_many_lines,
    protocol_violation,
    connection_closed_by_server,
    local_stream_failed,
};

/// Codes are stable; texts say what a person can do about it.
constexpr ErrorInfo describe(SmtpError error) {
    switch (error) {
        case SmtpError::wrong_state:
            return {"smtp_wrong_state", "The SMTP connection is not in a state for this."};
        case SmtpError::bad_argument:
            return {"smtp_bad_argument", "A value cannot be sent to an SMTP server."};
        case SmtpError::bad_address:
            return {"smtp_bad_address", "This is not an e-mail address that can be sent to."};
        case SmtpError::too_many_recipients:
            return {"smtp_too_many_recipients", "The mail has too many recipients."};
        case SmtpError::tls_required:
            return {"smtp_tls_required", "A password is sent to an SMTP server only over TLS."};
        case SmtpError::starttls_not_offered:
            return {"smtp_starttls_not_offered", "The SMTP server does not offer STARTTLS."};
        case SmtpError::no_sign_in_method:
            return {"smtp_no_sign_in_method", "The SMTP server accepts no password sign-in."};
        case SmtpError::message_too_large:
            return {"smtp_message_too_large", "The mail is larger than the SMTP server takes."};
        case SmtpError::eight_bit_not_offered:
            return {"smtp_eight_bit_not_offered", "The SMTP server takes 7-bit mail only."};
        case SmtpError::smtputf8_not_offered:
            return {"smtp_smtputf8_not_offered",
                    "The SMTP server does not take international addresses."};
        case SmtpError::refused: return {"smtp_refused", "The SMTP server refused."};
        case SmtpError::refused_sign_in:
            return {"smtp_refused_sign_in", "The SMTP server refused the user name or password."};
        case SmtpError::sign_in_unavailable:
            return {"smtp_sign_in_unavailable", "The SMTP server takes no sign-in at the moment."};
        case SmtpError::line_too_long:
            return {"smtp_line_too_long", "The SMTP server sent a line that is too long."};
        case SmtpError::too_many_lines:
            return {"smtp_too_many_lines", "The SMTP server's answer has too many lines."};
        case SmtpError::protocol_violation:
            return {"smtp_protocol_violation", "The server's answer is not valid SMTP."};
        case SmtpError::connection_closed_by_server:
            return {"smtp_connection_closed_by_server", "The SMTP server closed the connection."};
        case SmtpError::local_stream_failed:
            return {"smtp_local_stream_failed", "The mail could not be read locally."};
    }
    return {"smtp_unknown", "An SMTP error."};
}

}  // namespace postern::smtp
