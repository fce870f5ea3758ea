#pragma once

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"

namespace postern::mail::courier {

/// What an error of the network, of an engine or of a deadline means to the people of a mailbox.
/// The detail stays (it holds nothing of a mail, and of a sign-in not the server's words).
[[nodiscard]] Error to_mail_error(const Error& error);

/// The same as an enumerator, for messages that carry one.
[[nodiscard]] MailError mail_error_of(const Error& error);

}  // namespace postern::mail::courier
