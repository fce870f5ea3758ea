#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::codec::http {

enum class ResponseError { malformed, head_too_large, body_too_large, unknown_coding, truncated };

constexpr ErrorInfo describe(ResponseError error) {
    switch (error) {
        case ResponseError::malformed:
            return {"protocol_violation", "The server's answer is not HTTP as it should be."};
        case ResponseError::head_too_large:
            return {"protocol_violation", "The head of the server's answer is too large."};
        case ResponseError::body_too_large:
            return {"too_large", "The server's answer is larger than allowed."};
        case ResponseError::unknown_coding:
            return {"protocol_violation", "The server's answer is coded as nobody asked for."};
        case ResponseError::truncated:
            return {"connection_lost", "The server's answer ended before its end."};
    }
    return {"protocol_violation", "The server's answer is not HTTP as it should be."};
}

struct ResponseHead {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case

    /// Of the first field of that name; empty: there is none.
    [[nodiscard]] std::string_view field(std::string_view lower_case_name) const;
};

/// Reads the one answer on a connection that is closed after it (RFC 9112), in pieces of any size.
/// Strict: a bare CR or LF, folded fields, two lengths, trailers, content codings and bytes after
/// the end are refused. Interim answers (1xx) are skipped.
class ResponseReader {
public:
    struct Limits {
        std::size_t head_bytes = 16UL * 1024;  ///< with those of interim answers
        std::size_t fields = 100;
        std::size_t body_bytes = 256UL * 1024;
    };
    explicit ResponseReader(Limits limits) : limits_(limits) {}

    /// Errors: all of ResponseError but truncated; then for good.
    Result<> take(ByteView bytes);
    /// The other side has ended its direction in order. Errors: truncated.
    Result<> end();
    [[nodiscard]] bool is_done() const noexcept { return state_ == State::done; }
    [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }
    [[nodiscard]] WipedBytes& body() noexcept { return body_; }

private:
    enum class State {
        status_line,
        field,
        counted,    ///< body of left_ bytes
        until_end,  ///< body until the connection's end
        chunk_size,
        chunk_data,
        chunk_end,
        last_end,  ///< the empty line after the last chunk
        done,
    };

    Result<std::size_t> take_line(ByteView bytes);
    Result<> line_is_whole();
    Result<> status_line(std::string_view line);
    Result<> field_line(std::string_view line);
    Result<> head_is_whole();
    Result<> chunk_line(std::string_view line);
    Result<std::size_t> take_body(ByteView bytes);

    Limits limits_;
    State state_ = State::status_line;
    std::string line_;
    std::size_t head_bytes_ = 0;
    ResponseHead head_;
    WipedBytes body_;
    std::uint64_t left_ = 0;
};

}  // namespace postern::codec::http
