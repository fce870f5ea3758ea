#include "foundation/codec/http/response_reader.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::codec::http {
namespace {

constexpr std::size_t k_chunk_line_bytes_max = 256;
constexpr std::size_t k_size_digits_max = 8;
constexpr int k_no_content = 204;
constexpr int k_not_modified = 304;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_token_character(char c) {
    constexpr std::string_view k_others = "!#$%&'*+-.^_`|~";
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           k_others.find(c) != std::string_view::npos;
}

bool is_text_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
    if (text.empty() || text.size() > k_size_digits_max) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::optional<std::uint64_t> parse_chunk_size(std::string_view text) {
    if (text.empty() || text.size() > k_size_digits_max) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : lower(text)) {
        const bool is_letter = c >= 'a' && c <= 'f';
        if (!is_digit(c) && !is_letter) return std::nullopt;
        value = value * 16 + static_cast<std::uint64_t>(is_letter ? c - 'a' + 10 : c - '0');
    }
    return value;
}

}  // namespace

std::string_view ResponseHead::field(std::string_view lower_case_name) const {
    for (const auto& [name, value] : fields) {
        if (name == lower_case_name) return value;
    }
    return {};
}

Result<> ResponseReader::take(ByteView bytes) {
    while (!bytes.empty()) {
        std::size_t used = 0;
        switch (state_) {
            case State::status_line:
            case State::field:
            case State::chunk_size:
            case State::chunk_end:
            case State::last_end: {
                POSTERN_TRY(used, take_line(bytes));
                break;
            }
            case State::counted:
            case State::until_end:
            case State::chunk_data: {
                POSTERN_TRY(used, take_body(bytes));
                break;
            }
            case State::done: return fail(ResponseError::malformed, "bytes after the end");
        }
        bytes = bytes.subspan(used);
    }
    return {};
}

Result<> ResponseReader::end() {
    if (state_ == State::until_end) state_ = State::done;
    if (state_ != State::done) return fail(ResponseError::truncated);
    return {};
}

Result<std::size_t> ResponseReader::take_line(ByteView bytes) {
    const auto text = as_text(bytes);
    const auto feed = text.find('\n');
    const auto part = text.substr(0, feed);
    const bool in_head = state_ == State::status_line || state_ == State::field;
    const auto room =
        in_head ? limits_.head_bytes - head_bytes_ : k_chunk_line_bytes_max - line_.size();
    if (part.size() + 1 > room) {
        return fail(in_head ? ResponseError::head_too_large : ResponseError::malformed);
    }
    line_.append(part);
    if (in_head) head_bytes_ += part.size() + 1;
    if (feed == std::string_view::npos) {
        if (in_head) --head_bytes_;
        return part.size();
    }
    if (!line_.ends_with('\r')) return fail(ResponseError::malformed, "a bare line feed");
    line_.pop_back();
    if (!std::all_of(line_.begin(), line_.end(), is_text_character)) {
        return fail(ResponseError::malformed, "a control character");
    }
    if (auto done = line_is_whole(); !done) return fail(std::move(done.error()));
    line_.clear();
    return part.size() + 1;
}

Result<> ResponseReader::line_is_whole() {
    switch (state_) {
        case State::status_line: return status_line(line_);
        case State::field: return line_.empty() ? head_is_whole() : field_line(line_);
        case State::chunk_size: return chunk_line(line_);
        case State::chunk_end:
            if (!line_.empty()) return fail(ResponseError::malformed, "a chunk's end");
            state_ = State::chunk_size;
            return {};
        case State::last_end:
            if (!line_.empty()) return fail(ResponseError::malformed, "a trailer");
            state_ = State::done;
            return {};
        case State::counted:
        case State::until_end:
        case State::chunk_data:
        case State::done: break;
    }
    return fail(ResponseError::malformed);
}

/// "HTTP/1.1 200 OK"; the words after the number are for nobody.
Result<> ResponseReader::status_line(std::string_view line) {
    constexpr std::size_t k_version_bytes = 9;
    constexpr std::size_t k_number_end = 12;
    const bool is_http = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
    if (!is_http || line.size() < k_number_end) return fail(ResponseError::malformed, "status");
    const auto number = line.substr(k_version_bytes, k_number_end - k_version_bytes);
    const bool is_number = std::all_of(number.begin(), number.end(), is_digit);
    const bool ends = line.size() == k_number_end || line[k_number_end] == ' ';
    if (!is_number || !ends || number[0] < '1' || number[0] > '5') {
        return fail(ResponseError::malformed, "status");
    }
    head_.status = (number[0] - '0') * 100 + (number[1] - '0') * 10 + (number[2] - '0');
    // Nobody asked for another protocol.
    if (head_.status == 101) return fail(ResponseError::malformed, "switching protocols");
    state_ = State::field;
    return {};
}

Result<> ResponseReader::field_line(std::string_view line) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, std::min(colon, line.size()));
    const bool is_name = colon != std::string_view::npos && !name.empty() &&
                         std::all_of(name.begin(), name.end(), is_token_character);
    if (!is_name) return fail(ResponseError::malformed, "a field's name");
    if (head_.fields.size() >= limits_.fields) return fail(ResponseError::head_too_large);
    head_.fields.emplace_back(lower(name), trimmed(line.substr(colon + 1)));
    return {};
}

Result<> ResponseReader::head_is_whole() {
    if (head_.status < 200) {
        head_ = {};
        state_ = State::status_line;
        return {};
    }
    std::optional<std::uint64_t> length;
    bool is_chunked = false;
    for (const auto& [name, value] : head_.fields) {
        const bool is_coding = name == "transfer-encoding";
        if (is_coding && (is_chunked || lower(value) != "chunked")) {
            return fail(ResponseError::malformed, "transfer-encoding");
        }
        is_chunked = is_chunked || is_coding;
        if (name == "content-encoding" && lower(value) != "identity") {
            return fail(ResponseError::unknown_coding);
        }
        if (name != "content-length") continue;
        const auto parsed = parse_length(value);
        if (!parsed || length) return fail(ResponseError::malformed, "content-length");
        length = parsed;
    }
    if (is_chunked && length) return fail(ResponseError::malformed, "two lengths");
    if (head_.status == k_no_content || head_.status == k_not_modified || length == 0) {
        state_ = State::done;
    } else if (is_chunked) {
        state_ = State::chunk_size;
    } else if (length) {
        if (*length > limits_.body_bytes) return fail(ResponseError::body_too_large);
        left_ = *length;
        state_ = State::counted;
    } else {
        state_ = State::until_end;
    }
    return {};
}

Result<> ResponseReader::chunk_line(std::string_view line) {
    const auto size = parse_chunk_size(trimmed(line.substr(0, line.find(';'))));
    if (!size) return fail(ResponseError::malformed, "a chunk's size");
    if (*size > limits_.body_bytes - body_.size()) return fail(ResponseError::body_too_large);
    left_ = *size;
    state_ = left_ == 0 ? State::last_end : State::chunk_data;
    return {};
}

Result<std::size_t> ResponseReader::take_body(ByteView bytes) {
    if (state_ == State::until_end) {
        if (bytes.size() > limits_.body_bytes - body_.size()) {
            return fail(ResponseError::body_too_large);
        }
        body_.append(bytes);
        return bytes.size();
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    body_.append(bytes.first(count));
    left_ -= count;
    if (left_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_end;
    return count;
}

}  // namespace postern::codec::http
