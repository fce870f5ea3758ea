#pragma once

#include "features/mail/reader/defect.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::reader {

/// Size of the encoded word (RFC 2047) at the start of `text`, 0 if there is none.
[[nodiscard]] std::size_t encoded_word_size(std::string_view text);

/// Unstructured header text as UTF-8. Also decodes what RFC 2047 forbids but mailers send: words
/// inside quotes, glued to text, with spaces inside, or cut within a character; raw 8-bit text.
/// Time is linear in the size.
[[nodiscard]] std::string decode_header_text(std::string_view raw, Defects& defects);

}  // namespace postern::reader
