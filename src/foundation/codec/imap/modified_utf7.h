#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

/// Folder names on the wire: RFC 3501 section 5.1.3. Both directions accept only what the other
/// can produce, so that a name has one form.

/// Nothing unless `utf8` is well-formed UTF-8.
[[nodiscard]] std::optional<std::string> to_modified_utf7(std::string_view utf8);
/// Nothing unless `wire` is canonical modified UTF-7.
[[nodiscard]] std::optional<std::string> from_modified_utf7(std::string_view wire);

}  // namespace postern::imap
