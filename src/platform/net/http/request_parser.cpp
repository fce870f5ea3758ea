#include "platform/net/http/request_parser.h"

#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstdint>
#include <expected>
#include <string_view>

namespace postern::net::http {

std::expected<HeadFacts, Refusal> RequestParser::begin(std::string_view head, Request& request) {
    request.method.clear();
    request.target.clear();
    request.headers.clear();
    request.body.clear();
    auto facts = read_head(head, request);
    if (!facts) return facts;
    is_chunked_ = facts->is_chunked;
    left_ = facts->content_length;
    chunks_ = ChunkDecoder();
    return facts;
}

bool RequestParser::is_done() const noexcept {
    return is_chunked_ ? chunks_.is_done() : left_ == 0;
}

ChunkDecoder::Progress RequestParser::take(ByteView input,
                                           Request& request,
                                           std::uint64_t body_bytes_max) {
    if (is_chunked_) return chunks_.take(input, request.body, body_bytes_max);
    const auto room = body_bytes_max - std::min<std::uint64_t>(body_bytes_max, request.body.size());
    if (left_ > room) return {.consumed = 0, .refusal = k_body_too_large};
    const auto part = input.first(std::min<std::uint64_t>(left_, input.size()));
    request.body.append(part);
    left_ -= part.size();
    return {.consumed = part.size(), .refusal = {}};
}

}  // namespace postern::net::http
