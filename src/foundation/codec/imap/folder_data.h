#pragma once

#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/results.h"

#include <optional>

namespace postern::imap {

/// `cursor` stands behind the word LIST. Nothing when malformed.
[[nodiscard]] std::optional<Folder> parse_list(Cursor& cursor);

/// `cursor` stands behind the word STATUS. Nothing when malformed.
[[nodiscard]] std::optional<FolderNews> parse_status(Cursor& cursor);

}  // namespace postern::imap
