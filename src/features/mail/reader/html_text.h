#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::reader {

/// A mail's HTML as text, for mails that have no text of their own: links as "text <address>",
/// quotes with "> ", lists with "- ". What a reader would not see is left out (display:none, font
/// size 0, zero-width and tag characters). At most `bytes_max` of output.
[[nodiscard]] std::string html_to_text(std::string_view html, std::size_t bytes_max);

}  // namespace postern::reader
