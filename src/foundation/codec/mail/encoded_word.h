#pragma once

#include <string>
#include <string_view>

namespace postern::codec {

/// Replaces the encoded words (RFC 2047, B and Q) of UTF-8, US-ASCII and ISO-8859-1 by what they
/// say; blanks between two of them go. Words of other character sets stay as written. The result
/// holds whatever bytes the words held: clean_text() comes after. At most twice as long as `text`.
[[nodiscard]] std::string decode_words(std::string_view text);

}  // namespace postern::codec
