#pragma once

#include "foundation/codec/imap/results.h"

#include <optional>
#include <vector>

namespace postern::mail::courier {

/// INBOX first, then Junk, Archive and All, as far as the mailbox has them: by special use (RFC
/// 6154), else Junk and Archive by the names that clients give them.
[[nodiscard]] std::vector<imap::FolderName> folders_to_watch(const imap::FolderList& list);

/// Where the mailbox keeps what was sent.
[[nodiscard]] std::optional<imap::FolderName> sent_folder(const imap::FolderList& list);

}  // namespace postern::mail::courier
