#pragma once

#include <string>
#include <string_view>

namespace postern::reader {

struct QuotedSplit {
    std::string new_text;     ///< what the author wrote, trailing blank lines taken off
    std::string quoted_text;  ///< the history, with the line that introduces it; may be empty
};

/// Tells the new text of a reply from the history that mail clients put below it (or above: bottom
/// posting). Answers written between quoted lines stay whole. `text` is UTF-8 with LF line ends.
[[nodiscard]] QuotedSplit split_quoted(std::string_view text);

}  // namespace postern::reader
