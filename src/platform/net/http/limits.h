#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace postern::net::http {

/// What one client may cost. Tests set small ones.
struct Limits {
    std::size_t request_line_bytes_max = 8UL * 1024;
    std::size_t head_bytes_max = 16UL * 1024;
    std::size_t headers_max = 100;
    std::uint64_t body_bytes_max = 1024UL * 1024;          ///< where no callback says otherwise
    std::uint64_t bodies_bytes_max = 128UL * 1024 * 1024;  ///< of all requests together
    /// Taken although the others have used all that up: a cut-off is small.
    std::uint64_t small_body_bytes_max = 16UL * 1024;
    std::size_t connections_max = 2000;

    std::chrono::milliseconds head_time{10'000};   ///< TLS handshake; first byte to end of head
    std::chrono::milliseconds body_time{10'000};   ///< on top of what bytes_per_s_min allows
    std::chrono::milliseconds idle_time{60'000};   ///< between two requests
    std::chrono::milliseconds write_time{30'000};  ///< on top of what bytes_per_s_min allows
    std::uint64_t bytes_per_s_min = 16UL * 1024;
    std::chrono::milliseconds linger_time{2'000};  ///< after an error, for the client to read it
    std::chrono::milliseconds tick{500};           ///< how exactly the times above are kept
};

/// Fixed ones.
inline constexpr std::size_t k_buffer_bytes_idle = 4096;
inline constexpr std::size_t k_batch_bytes_max = 64UL * 1024;
inline constexpr std::size_t k_linger_bytes_max = 256UL * 1024;
inline constexpr std::size_t k_chunk_extension_bytes_max = 64;
inline constexpr std::size_t k_method_characters_max = 32;
inline constexpr std::size_t k_proxies_max = 16;

}  // namespace postern::net::http
