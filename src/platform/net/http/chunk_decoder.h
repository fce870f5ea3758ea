#pragma once

#include "foundation/base/bytes.h"
#include "platform/net/http/head_rules.h"

#include <cstdint>
#include <optional>

namespace postern::net::http {

/// Takes a chunked body apart (RFC 9112 section 7.1), in pieces of any size. Chunk extensions are
/// bounded and ignored; trailers are refused, for nothing of ours needs them and readers differ
/// about them.
class ChunkDecoder {
public:
    struct Progress {
        std::size_t consumed = 0;
        std::optional<Refusal> refusal;
    };
    /// Appends to `body`, which never grows over `body_bytes_max`: a chunk that would exceed it is
    /// refused by its announcement.
    [[nodiscard]] Progress take(ByteView input, WipedBytes& body, std::uint64_t body_bytes_max);
    [[nodiscard]] bool is_done() const noexcept { return state_ == State::done; }

private:
    enum class State { size, extension, size_lf, data, data_cr, data_lf, last_cr, last_lf, done };

    [[nodiscard]] std::optional<Refusal> step(char c);
    [[nodiscard]] std::optional<Refusal> size_digit(char c);
    [[nodiscard]] std::optional<Refusal> expect(char c, char wanted, State next);

    State state_ = State::size;
    std::uint64_t left_ = 0;  ///< of this chunk
    unsigned digits_ = 0;
    std::size_t extension_bytes_ = 0;
};

}  // namespace postern::net::http
