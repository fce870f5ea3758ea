#pragma once

#include "foundation/base/bytes.h"
#include "platform/net/http/chunk_decoder.h"
#include "platform/net/http/head_rules.h"
#include "platform/net/http/request.h"

#include <cstdint>
#include <string_view>

namespace postern::net::http {

/// Turns the bytes of one request after the other into a Request: bytes in, facts out, no I/O.
class RequestParser {
public:
    /// `head` is what HeadScanner found. Clears and fills `request`. Errors: a refusal, after which
    /// the connection must end.
    [[nodiscard]] std::expected<HeadFacts, Refusal> begin(std::string_view head, Request& request);
    /// No more body to come.
    [[nodiscard]] bool is_done() const noexcept;
    /// Takes more of the body; leaves alone what lies behind it.
    [[nodiscard]] ChunkDecoder::Progress take(ByteView input,
                                              Request& request,
                                              std::uint64_t body_bytes_max);

private:
    bool is_chunked_ = false;
    std::uint64_t left_ = 0;
    ChunkDecoder chunks_;
};

}  // namespace postern::net::http
