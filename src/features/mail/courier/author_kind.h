#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/codec/imap/header_block.h"

#include <string>
#include <vector>

namespace postern::mail::courier {

/// The header fields that tell what made a mail. Its subject is none of them: out-of-office words
/// stand in people's own mails, too.
[[nodiscard]] std::vector<std::string> author_kind_fields();

/// Who made a mail that answers one of ours. `auto_reply`: a program did, in somebody's name
/// (RFC 3834). `machine`: reports (RFC 6522), lists, calendars, and mails of another Postern.
[[nodiscard]] AuthorKind author_kind_of(const imap::HeaderBlock& header);

/// Whether it may tell of a mail that was not delivered: a delivery report (RFC 3464), or the plain
/// text that a mail system itself writes (qmail). Read as such only when our own id stands in it.
[[nodiscard]] bool may_be_bounce(const imap::HeaderBlock& header);

}  // namespace postern::mail::courier
