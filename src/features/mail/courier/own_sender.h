#pragma once

#include "features/mail/courier/session_context.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/secret.h"

#include <memory>
#include <string>
#include <utility>

namespace postern::mail::courier {

/// The server's own account at a mail server, as its operator named it.
struct OwnAccount {
    MailHost host;
    std::string username;  ///< empty: the server takes mail from here as it is
    Secret password;
    std::string ca_pem;  ///< empty: the system's certificate authorities
    std::string from;    ///< envelope address
};

/// SendOwnMail: one submission, final dot and all. Whatever happens at the server is an answer.
/// Lifetime: the account outlives it.
class OwnSender {
public:
    OwnSender(SessionContext context, const OwnAccount& account, SendOwnMail asked)
        : context_(std::move(context)), account_(account), asked_(std::move(asked)) {}

    /// Errors: mail_unreadable: nothing was connected.
    async::Task<SendOwnMail::Answer> run();

private:
    SmtpSession::Step up_to_the_dot(smtp::Envelope envelope, smtp::MailSource source);

    SessionContext context_;
    const OwnAccount& account_;
    SendOwnMail asked_;
    std::unique_ptr<SmtpSession> session_;
};

}  // namespace postern::mail::courier
