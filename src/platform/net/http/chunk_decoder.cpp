#include "platform/net/http/chunk_decoder.h"

#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace postern::net::http {
namespace {

constexpr unsigned k_digits_max = 12;  // leading zeros included; 256 TiB, so nothing overflows

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

ChunkDecoder::Progress ChunkDecoder::take(ByteView input,
                                          WipedBytes& body,
                                          std::uint64_t body_bytes_max) {
    Progress progress;
    while (progress.consumed < input.size() && !is_done()) {
        if (state_ == State::data) {
            const auto rest = input.subspan(progress.consumed);
            const auto part = rest.first(std::min<std::uint64_t>(left_, rest.size()));
            body.append(part);
            progress.consumed += part.size();
            left_ -= part.size();
            if (left_ == 0) state_ = State::data_cr;
            continue;
        }
        progress.refusal = step(static_cast<char>(input[progress.consumed++]));
        if (!progress.refusal && state_ == State::data && left_ > body_bytes_max - body.size()) {
            progress.refusal = k_body_too_large;
        }
        if (progress.refusal) return progress;
    }
    return progress;
}

std::optional<Refusal> ChunkDecoder::step(char c) {
    switch (state_) {
        case State::size: return size_digit(c);
        case State::extension:
            if (c == '\r') return expect(c, '\r', State::size_lf);
            if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return k_malformed;
            if (c == 0x7f || ++extension_bytes_ > k_chunk_extension_bytes_max) return k_malformed;
            return std::nullopt;
        case State::size_lf: return expect(c, '\n', left_ == 0 ? State::last_cr : State::data);
        case State::data_cr: return expect(c, '\r', State::data_lf);
        case State::data_lf: digits_ = 0; return expect(c, '\n', State::size);
        case State::last_cr: return expect(c, '\r', State::last_lf);
        case State::last_lf: return expect(c, '\n', State::done);
        case State::data:
        case State::done: return std::nullopt;
    }
    return k_malformed;
}

std::optional<Refusal> ChunkDecoder::size_digit(char c) {
    const int value = hex_value(c);
    if (value >= 0) {
        if (++digits_ > k_digits_max) return k_malformed;
        left_ = left_ * 16 + static_cast<unsigned>(value);
        return std::nullopt;
    }
    if (digits_ == 0) return k_malformed;
    if (c == ';') {
        state_ = State::extension;
        return std::nullopt;
    }
    return expect(c, '\r', State::size_lf);
}

std::optional<Refusal> ChunkDecoder::expect(char c, char wanted, State next) {
    if (c != wanted) return k_malformed;
    state_ = next;
    return std::nullopt;
}

}  // namespace postern::net::http
