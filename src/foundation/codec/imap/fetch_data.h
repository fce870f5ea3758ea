#pragma once

#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/uid_set.h"

#include <optional>

namespace postern::imap {

/// What Postern uses of `* n FETCH (...)`; other items are skipped.
struct FetchData {
    enum class Section { none, header_fields, whole_body };

    std::optional<Uid> uid;
    std::optional<std::uint64_t> size;  ///< RFC822.SIZE
    std::optional<Cursor::Text> headers;
    std::optional<Cursor::Text> body;
    /// Where the text ends before its parenthesis: the section whose value is still to come.
    Section awaited = Section::none;
    bool complete = false;
};

/// `cursor` stands behind the word FETCH. Nothing when malformed, or when an item that is used
/// comes twice; a text that merely ends early is not malformed.
[[nodiscard]] std::optional<FetchData> parse_fetch(Cursor& cursor);

}  // namespace postern::imap
