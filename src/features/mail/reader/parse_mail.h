#pragma once

#include "features/mail/reader/parsed_mail.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace postern::reader {

/// Reads one mail. Needs no file, socket, clock or key, keeps nothing, and copies the mail no more
/// than its decoded attachments need. Call warm_up() (charset.h) once before the process is fenced.
/// Errors: ReaderError::mail_too_large, too_many_parts.
[[nodiscard]] Result<ParsedMail> parse_mail(ByteView raw, const ParseLimits& limits = {});

}  // namespace postern::reader
