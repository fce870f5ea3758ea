#pragma once

#include <string>
#include <string_view>

namespace postern::imap {

/// What a server said, fit for an operator's log: at most k_server_text_bytes_max bytes of
/// printable ASCII, words that look like an address replaced.
[[nodiscard]] std::string server_text(std::string_view hostile);

}  // namespace postern::imap
