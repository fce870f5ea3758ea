#pragma once

#include <string>
#include <string_view>

namespace postern::reader {

/// Undoes character references: numeric ones with or without semicolon, named ones of HTML 4 with.
/// Others stay as they stand; escaped again they mean what they say.
[[nodiscard]] std::string decode_entities(std::string_view text);

/// Appends text so that it is text in every HTML context, quoted attribute values included.
void append_escaped(std::string& out, std::string_view text);

}  // namespace postern::reader
