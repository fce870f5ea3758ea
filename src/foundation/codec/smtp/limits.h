#pragma once

#include <cstddef>

namespace postern::smtp {

/// Of one line of an answer. RFC 5321 section 4.5.3.1.5 says 512; servers exceed it.
inline constexpr std::size_t k_line_bytes_max = 4096;
inline constexpr std::size_t k_reply_lines_max = 100;
/// What is kept of the words of an answer.
inline constexpr std::size_t k_reply_text_bytes_max = 1024;
inline constexpr std::size_t k_address_bytes_max = 254;
inline constexpr std::size_t k_recipients_max = 100;
/// What one call of Client::take_output() reads from the mail.
inline constexpr std::size_t k_body_chunk_bytes = 64 * 1024;
/// RFC 4954 section 4: a longer initial response must wait for the server's 334.
inline constexpr std::size_t k_initial_response_bytes_max = 480;

}  // namespace postern::smtp
