#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace postern::reader {

/// How many lines at the start of `lines` introduce quoted history; 0 = none. Knows "On ... wrote:"
/// and its like in about twenty languages, blocks of "From: / Sent: / To:" lines, and separators
/// such as "-----Original Message-----".
[[nodiscard]] std::size_t quote_header_lines(std::span<const std::string_view> lines);

/// A line of dashes, underscores or equal signs, with or without words in it: belongs to the
/// history that follows it.
[[nodiscard]] bool is_rule(std::string_view line);

}  // namespace postern::reader
