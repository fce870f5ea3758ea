#pragma once

#include <cstdint>

struct bio_st;

namespace postern::net {

/// A connected socket and what passed over it. Non-blocking; a write to a closed peer raises no
/// signal.
struct Wire {
    int descriptor = -1;
    bool ended = false;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
};

/// Lets OpenSSL read and write the wire directly: no buffers of its own between record layer and
/// kernel. The caller owns both; `wire` outlives the BIO.
[[nodiscard]] bio_st* make_socket_bio(Wire& wire);

}  // namespace postern::net
