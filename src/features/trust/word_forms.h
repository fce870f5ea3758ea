#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::trust {

/// How a word stands in bytes that somebody reads without a key: as it is, in UTF-16 of either
/// order, and within base64 or base64url that begins anywhere before it. Of base64 that which none
/// of the word's neighbours changes; lines that break within the word are not met.
[[nodiscard]] std::vector<std::string> forms_of(std::string_view word);

}  // namespace postern::trust
