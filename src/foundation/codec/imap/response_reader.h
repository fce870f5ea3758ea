#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/uid_set.h"

#include <cstdint>
#include <string_view>

namespace postern::imap {

/// One response, from its first byte to the CRLF, kept literals in their place. A literal that was
/// streamed away stands as its announcement only.
struct Response {
    static constexpr std::size_t k_none = static_cast<std::size_t>(-1);
    std::string_view text;
    std::size_t streamed_at = k_none;  ///< offset just behind that announcement
};

enum class LiteralPlan { keep, stream };

/// Who receives what ResponseReader finds. An error ends the connection.
class ResponseEvents {
public:
    virtual ~ResponseEvents() = default;
    /// `prefix` is the response up to the literal's announcement.
    virtual Result<LiteralPlan> on_literal(const Response& prefix, std::uint64_t size) = 0;
    virtual Result<> on_literal_bytes(ByteView bytes) = 0;
    virtual Result<> on_search_uid(Uid uid) = 0;
    /// A SEARCH response comes without its numbers.
    virtual Result<> on_response(const Response& response) = 0;
};

/// Cuts the server's bytes into responses. Holds one response at most; a literal that is streamed
/// and the numbers of a SEARCH response are never held.
class ResponseReader {
public:
    explicit ResponseReader(const Limits& limits) : limits_(limits) {}

    /// Takes bytes up to the end of one response at most; returns how many it took.
    [[nodiscard]] Result<std::size_t> consume(ByteView bytes, ResponseEvents& events);

private:
    enum class Mode { line, after_cr, search, literal_kept, literal_streamed };

    Result<bool> take_byte(char c, ResponseEvents& events);
    Result<bool> end_line(ResponseEvents& events);
    Result<> take_line_byte(char c);
    Result<> take_search_byte(char c, ResponseEvents& events);
    Result<> begin_literal(std::size_t mark, std::uint64_t size, ResponseEvents& events);
    Result<std::size_t> take_literal_bytes(ByteView bytes, ResponseEvents& events);
    void reset();

    Limits limits_;
    WipedBytes buffer_;
    Mode mode_ = Mode::line;
    Mode after_lf_ = Mode::line;
    std::size_t line_start_ = 0;
    std::size_t line_bytes_ = 0;
    std::size_t literal_bytes_ = 0;
    std::uint64_t literal_left_ = 0;
    int literals_ = 0;
    std::size_t streamed_at_ = Response::k_none;
    std::uint64_t search_number_ = 0;
    int search_digits_ = 0;
    bool search_after_space_ = false;
};

}  // namespace postern::imap
