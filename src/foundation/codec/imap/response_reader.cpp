#include "foundation/codec/imap/response_reader.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/text_match.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::imap {

namespace {

constexpr std::string_view k_search = "* SEARCH";
constexpr std::size_t k_keep_capacity_bytes = 128 * 1024;

struct Announcement {
    std::size_t mark = 0;  ///< offset of '{'
    std::uint64_t size = 0;
};

/// `...{123}` at the end of a line (RFC 9051 section 4.3).
std::optional<Announcement> announced_literal(std::string_view line) {
    if (!line.ends_with('}')) return std::nullopt;
    const std::size_t mark = line.rfind('{');
    if (mark == std::string_view::npos) return std::nullopt;
    const auto size = parse_number(line.substr(mark + 1, line.size() - mark - 2),
                                   std::numeric_limits<std::int64_t>::max());
    if (!size) return std::nullopt;
    return Announcement{mark, *size};
}

/// Lines that end in free text hold no literal, even if the text looks like one.
bool may_hold_literal(std::string_view response) {
    constexpr std::array<std::string_view, 5> k_status{"OK", "NO", "BAD", "BYE", "PREAUTH"};
    if (!response.starts_with("* ")) return false;
    response.remove_prefix(2);
    const std::string_view word = response.substr(0, response.find_first_of(" \r"));
    return std::ranges::none_of(k_status,
                                [word](std::string_view s) { return equals_no_case(word, s); });
}

}  // namespace

void ResponseReader::reset() {
    if (buffer_.capacity() > k_keep_capacity_bytes) {
        buffer_ = WipedBytes();
    } else {
        buffer_.clear();
    }
    mode_ = Mode::line;
    line_start_ = line_bytes_ = literal_bytes_ = 0;
    literals_ = 0;
    streamed_at_ = Response::k_none;
}

Result<std::size_t> ResponseReader::consume(ByteView bytes, ResponseEvents& events) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (mode_ == Mode::literal_kept || mode_ == Mode::literal_streamed) {
            POSTERN_TRY(const std::size_t taken, take_literal_bytes(bytes.subspan(at), events));
            at += taken;
            continue;
        }
        POSTERN_TRY(const bool complete, take_byte(static_cast<char>(bytes[at]), events));
        ++at;
        if (complete) break;
    }
    return at;
}

Result<bool> ResponseReader::take_byte(char c, ResponseEvents& events) {
    if (mode_ == Mode::after_cr) {
        if (c != '\n') return fail(ImapError::protocol_violation, "CR without LF");
        return end_line(events);
    }
    if (c == '\n' || c == '\0') return fail(ImapError::protocol_violation, "bare LF or NUL");
    if (mode_ == Mode::search) {
        if (auto r = take_search_byte(c, events); !r) return fail(std::move(r.error()));
    }
    if (c == '\r') {
        after_lf_ = mode_;
        mode_ = Mode::after_cr;
        return false;
    }
    if (mode_ == Mode::search) return false;
    if (auto r = take_line_byte(c); !r) return fail(std::move(r.error()));
    return false;
}

Result<> ResponseReader::take_line_byte(char c) {
    if (++line_bytes_ > limits_.line_bytes_max) return fail(ImapError::line_too_long);
    buffer_.push_back(static_cast<std::uint8_t>(c));
    const bool search_begins =
        buffer_.size() == k_search.size() + 1 && c == ' ' &&
        equals_no_case(as_text(buffer_).substr(0, k_search.size()), k_search);
    if (search_begins) {
        mode_ = Mode::search;
        search_number_ = 0;
        search_digits_ = 0;
        search_after_space_ = true;
    }
    return {};
}

Result<> ResponseReader::take_search_byte(char c, ResponseEvents& events) {
    if (c >= '0' && c <= '9') {
        // nz-number of 32 bits: ten digits at most.
        if (++search_digits_ > 10) return fail(ImapError::protocol_violation, "search number");
        search_number_ = search_number_ * 10 + static_cast<std::uint64_t>(c - '0');
        search_after_space_ = false;
        return {};
    }
    const bool ends_number = c == '\r' || (c == ' ' && !search_after_space_);
    if (!ends_number) return fail(ImapError::protocol_violation, "search result");
    search_after_space_ = c == ' ';
    if (search_digits_ == 0) return {};
    if (search_number_ == 0 || search_number_ > std::numeric_limits<Uid>::max()) {
        return fail(ImapError::protocol_violation, "search number");
    }
    const Uid uid = static_cast<Uid>(search_number_);
    search_number_ = 0;
    search_digits_ = 0;
    return events.on_search_uid(uid);
}

Result<bool> ResponseReader::end_line(ResponseEvents& events) {
    const std::string_view text = as_text(buffer_);
    if (after_lf_ == Mode::line && may_hold_literal(text)) {
        const std::string_view line = text.substr(line_start_);
        if (const auto literal = announced_literal(line)) {
            auto r = begin_literal(line_start_ + literal->mark, literal->size, events);
            if (!r) return fail(std::move(r.error()));
            return false;
        }
    }
    // Cleared before the call: what the receiver does must not see half a state.
    const WipedBytes response = std::move(buffer_);
    const std::size_t streamed_at = streamed_at_;
    buffer_ = WipedBytes();
    reset();
    auto r = events.on_response(Response{as_text(response), streamed_at});
    if (!r) return fail(std::move(r.error()));
    return true;
}

Result<> ResponseReader::begin_literal(std::size_t mark,
                                       std::uint64_t size,
                                       ResponseEvents& events) {
    if (++literals_ > k_literals_per_response_max) return fail(ImapError::too_many_results);
    const Response prefix{as_text(buffer_).substr(0, mark), streamed_at_};
    POSTERN_TRY(const LiteralPlan plan, events.on_literal(prefix, size));
    buffer_.append("\r\n");
    literal_left_ = size;
    if (plan == LiteralPlan::stream) {
        if (streamed_at_ != Response::k_none) {
            return fail(ImapError::protocol_violation, "two bodies in one response");
        }
        streamed_at_ = buffer_.size();
        mode_ = Mode::literal_streamed;
    } else {
        const std::size_t room =
            limits_.string_bytes_max + limits_.header_bytes_max - literal_bytes_;
        if (size > room) return fail(ImapError::literal_too_large);
        literal_bytes_ += static_cast<std::size_t>(size);
        mode_ = Mode::literal_kept;
    }
    if (size == 0) {
        mode_ = Mode::line;
        line_start_ = buffer_.size();
    }
    return {};
}

Result<std::size_t> ResponseReader::take_literal_bytes(ByteView bytes, ResponseEvents& events) {
    const std::size_t n =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), literal_left_));
    const ByteView part = bytes.first(n);
    if (mode_ == Mode::literal_streamed) {
        if (auto r = events.on_literal_bytes(part); !r) return fail(std::move(r.error()));
    } else {
        buffer_.append(part);
    }
    literal_left_ -= n;
    if (literal_left_ == 0) {
        mode_ = Mode::line;
        line_start_ = buffer_.size();
    }
    return n;
}

}  // namespace postern::imap
