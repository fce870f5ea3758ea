#pragma once

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/protocol/courier_protocol.h"

#include <string>

namespace postern::mail::courier {

/// VerifyMailbox with what a ticket gave: one check after the other, up to the first of a server
/// that fails. One sign-in per server is tried.
class MailboxVerifier {
public:
    MailboxVerifier(SessionContext context, OpenedUse opened)
        : context_(std::move(context)), opened_(std::move(opened)) {}

    /// Errors: use_ended.
    async::Task<VerifyMailbox::Answer> run();

private:
    async::Task<> check_imap();
    async::Task<> check_smtp();
    void add_good(std::string name, std::string seen);
    void add_failed(std::string name, const Error& error);

    SessionContext context_;
    OpenedUse opened_;
    VerifyMailbox::Answer answer_;
};

}  // namespace postern::mail::courier
