#pragma once

#include <cstddef>
#include <cstdint>

namespace postern::imap {

/// What one connection accepts from a server. A server that exceeds one of them is cut off.
struct Limits {
    std::size_t line_bytes_max = 64 * 1024;      ///< of one response, literals not counted
    std::size_t string_bytes_max = 64 * 1024;    ///< literals of one response, headers apart
    std::size_t header_bytes_max = 1024 * 1024;  ///< header literals of one command
    std::size_t search_results_max = 100'000;
    std::size_t folders_max = 10'000;
    std::size_t folder_news_max = 64;  ///< folders told of (NOTIFY) and not taken yet
};

inline constexpr int k_nesting_max = 16;
/// Each literal of a FETCH makes its text be parsed once more.
inline constexpr int k_literals_per_response_max = 64;
inline constexpr std::size_t k_folder_name_bytes_max = 1024;
/// Dovecot reads 64 KB; RFC 7162 section 4 recommends that clients stay below 8,192.
inline constexpr std::size_t k_command_bytes_max = 8192;
inline constexpr std::size_t k_server_text_bytes_max = 200;
/// What one call of Client::take_output() gives at most while a mail is being appended.
inline constexpr std::size_t k_output_chunk_bytes = 64 * 1024;

}  // namespace postern::imap
