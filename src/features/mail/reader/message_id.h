#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {

/// The msg-id tokens of Message-ID, In-Reply-To or References, without angle brackets, exactly as
/// written but for white space; comments are skipped, ids without brackets and encoded words are
/// understood. Longer ids than 998 bytes are left out. `raw` may still be folded.
[[nodiscard]] std::vector<std::string> parse_message_ids(std::string_view raw);

/// Keeps the first and the last half of `max` ids: the thread's root and the parent stand there.
/// True if something was cut.
bool cut_message_ids(std::vector<std::string>& ids, std::size_t max);

}  // namespace postern::reader
