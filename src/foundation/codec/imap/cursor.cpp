#include "foundation/codec/imap/cursor.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/text_match.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace postern::imap {

bool Cursor::take(char c) {
    if (at_end()) cut_off_ = true;
    if (!peek(c)) return false;
    ++at_;
    return true;
}

std::optional<std::uint64_t> Cursor::number(std::uint64_t max) {
    std::size_t end = at_;
    while (end < response_.text.size() && response_.text[end] >= '0' &&
           response_.text[end] <= '9') {
        ++end;
    }
    if (end == response_.text.size() && end == at_) cut_off_ = true;
    const auto value = parse_number(response_.text.substr(at_, end - at_), max);
    if (value) at_ = end;
    return value;
}

std::optional<std::string_view> Cursor::word() {
    const std::string_view left = rest();
    if (left.empty()) cut_off_ = true;
    const std::string_view found = left.substr(0, left.find_first_of(" ()\"\r\n"));
    if (found.empty()) return std::nullopt;
    at_ += found.size();
    return found;
}

std::optional<std::string_view> Cursor::item_name() {
    const std::string_view left = rest();
    bool in_brackets = false;
    std::size_t end = 0;
    for (; end < left.size(); ++end) {
        const char c = left[end];
        if (c == '\r' || c == '\n') return std::nullopt;
        if (!in_brackets && (c == ' ' || c == '(' || c == ')')) break;
        if (c == '[') in_brackets = true;
        if (c == ']') in_brackets = false;
    }
    if (end == left.size()) cut_off_ = true;
    if (end == 0 || in_brackets) return std::nullopt;
    at_ += end;
    return left.substr(0, end);
}

std::optional<Cursor::Text> Cursor::quoted() {
    const std::string_view text = response_.text;
    Text out;
    for (std::size_t i = at_ + 1; i < text.size(); ++i) {
        char c = text[i];
        if (c == '"') {
            at_ = i + 1;
            return out;
        }
        if (c == '\\') {
            if (++i == text.size()) break;
            c = text[i];
            if (c != '"' && c != '\\') return std::nullopt;
        }
        if (c == '\r' || c == '\n') return std::nullopt;
        out.value.push_back(static_cast<std::uint8_t>(c));
    }
    cut_off_ = true;
    return std::nullopt;
}

std::optional<Cursor::Text> Cursor::literal() {
    const std::string_view left = rest();
    const std::size_t end = left.find("}\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const auto size =
        parse_number(left.substr(1, end - 1), std::numeric_limits<std::int64_t>::max());
    if (!size) return std::nullopt;
    const std::size_t start = at_ + end + 3;
    Text out;
    if (start == response_.streamed_at) {
        out.streamed = true;
        at_ = start;
        return out;
    }
    if (*size > response_.text.size() - start) return std::nullopt;
    const ByteView bytes = as_bytes(response_.text).subspan(start, static_cast<std::size_t>(*size));
    out.value.assign(bytes);
    at_ = start + static_cast<std::size_t>(*size);
    return out;
}

std::optional<Cursor::Text> Cursor::text() {
    if (at_end()) {
        cut_off_ = true;
        return std::nullopt;
    }
    if (peek('"')) return quoted();
    if (peek('{')) return literal();
    const auto found = word();
    if (!found) return std::nullopt;
    Text out;
    out.nil = equals_no_case(*found, "NIL");
    if (!out.nil) out.value.append(*found);
    return out;
}

bool Cursor::skip_value() {
    int depth = 0;
    do {
        if (take('(')) {
            if (++depth > k_nesting_max) return false;
        } else if (peek(')')) {
            if (depth == 0) return false;
            ++at_;
            --depth;
        } else if (!text()) {
            return false;
        }
        if (depth > 0) take(' ');
    } while (depth > 0);
    return true;
}

}  // namespace postern::imap
