#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::store::postgres {

inline constexpr std::size_t k_server_words_bytes_max = 240;

/// The first line of what a server or libpq says, fit for an error's detail, which reaches logs,
/// terminals and the console: bounded, valid UTF-8, a "?" for each control or invisible character
/// and for each byte that is none. What is so already stays as it is.
[[nodiscard]] std::string server_words(std::string_view text);

}  // namespace postern::store::postgres
