#pragma once

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/front.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"

#include <memory>
#include <optional>
#include <utility>

namespace postern::mail::courier {

/// SendMail with what a ticket gave. Whatever happens at the server is an answer, exact about
/// where it happened; the final dot is sent only after front said that it may.
/// Lifetime: front outlives it.
class Sender {
public:
    /// `until_dot`: what has not come to its dot by then ends without it.
    Sender(
        SessionContext context, Front& front, OpenedUse opened, SendMail asked, Deadline until_dot)
        : context_(std::move(context)),
          front_(front),
          opened_(std::move(opened)),
          asked_(std::move(asked)),
          until_dot_(until_dot) {}

    /// Errors: mail_unreadable, not_found (no SMTP): nothing was connected.
    async::Task<SendMail::Answer> run();

private:
    /// Greeting, sign-in and everything of the mail but its final dot.
    SmtpSession::Step up_to_the_dot(smtp::Envelope envelope, smtp::MailSource source);
    async::Task<SendMail::Answer> cross_the_dot();

    SessionContext context_;
    Front& front_;
    OpenedUse opened_;
    SendMail asked_;
    Deadline until_dot_;
    std::unique_ptr<SmtpSession> session_;
};

}  // namespace postern::mail::courier
