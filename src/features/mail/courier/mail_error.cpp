#include "features/mail/courier/mail_error.h"

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/smtp/smtp_error.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/os/files.h"

namespace postern::mail::courier {
namespace {

MailError from(net::NetError error) {
    using net::NetError;
    switch (error) {
        case NetError::refused_private_address: return MailError::address_refused;
        case NetError::invalid_host:
        case NetError::name_not_found: return MailError::name_not_found;
        case NetError::resolver_failed:
        case NetError::connection_refused:
        case NetError::unreachable:
        case NetError::address_in_use:
        case NetError::address_unavailable: return MailError::connection_failed;
        case NetError::timed_out: return MailError::timed_out;
        case NetError::certificate_untrusted:
        case NetError::invalid_certificate_file: return MailError::certificate_untrusted;
        case NetError::certificate_wrong_name: return MailError::certificate_wrong_name;
        case NetError::certificate_expired: return MailError::certificate_expired;
        case NetError::tls_failed:
        case NetError::plaintext_before_tls: return MailError::tls_failed;
        case NetError::closed_by_peer:
        case NetError::truncated: return MailError::connection_lost;
    }
    return MailError::connection_failed;
}

MailError from(imap::ImapError error) {
    using imap::ImapError;
    switch (error) {
        case ImapError::refused_sign_in:
        case ImapError::bad_argument: return MailError::sign_in_refused;
        case ImapError::tls_required: return MailError::tls_failed;
        case ImapError::capability_missing:
        case ImapError::no_sign_in_method:
        case ImapError::command_refused:
        case ImapError::over_quota:
        case ImapError::limit_reached:
        case ImapError::server_unavailable: return MailError::provider_refused;
        case ImapError::no_such_folder:
        case ImapError::message_gone: return MailError::not_found;
        case ImapError::literal_too_large:
        case ImapError::argument_too_long: return MailError::too_large;
        case ImapError::wrong_state:
        case ImapError::line_too_long:
        case ImapError::too_many_results:
        case ImapError::protocol_violation: return MailError::protocol_violation;
        case ImapError::connection_closed_by_server: return MailError::connection_lost;
        case ImapError::local_stream_failed: return MailError::mail_unreadable;
    }
    return MailError::protocol_violation;
}

MailError from(smtp::SmtpError error) {
    using smtp::SmtpError;
    switch (error) {
        case SmtpError::refused_sign_in:
        case SmtpError::bad_argument: return MailError::sign_in_refused;
        case SmtpError::sign_in_unavailable: return MailError::sign_in_unavailable;
        case SmtpError::tls_required:
        case SmtpError::starttls_not_offered: return MailError::tls_failed;
        case SmtpError::bad_address:
        case SmtpError::too_many_recipients:
        case SmtpError::no_sign_in_method:
        case SmtpError::eight_bit_not_offered:
        case SmtpError::smtputf8_not_offered:
        case SmtpError::refused: return MailError::provider_refused;
        case SmtpError::message_too_large: return MailError::too_large;
        case SmtpError::wrong_state:
        case SmtpError::line_too_long:
        case SmtpError::too_many_lines:
        case SmtpError::protocol_violation: return MailError::protocol_violation;
        case SmtpError::connection_closed_by_server: return MailError::connection_lost;
        case SmtpError::local_stream_failed: return MailError::mail_unreadable;
    }
    return MailError::protocol_violation;
}

}  // namespace

MailError mail_error_of(const Error& error) {
    if (const auto own = error.as<MailError>()) return *own;
    if (const auto net = error.as<net::NetError>()) return from(*net);
    if (const auto engine = error.as<imap::ImapError>()) return from(*engine);
    if (const auto engine = error.as<smtp::SmtpError>()) return from(*engine);
    if (error.is(async::AsyncError::deadline_passed)) return MailError::timed_out;
    if (error.as<os::OsError>()) return MailError::mail_unreadable;
    return MailError::connection_lost;
}

Error to_mail_error(const Error& error) {
    return {mail_error_of(error), error.detail()};
}

}  // namespace postern::mail::courier
