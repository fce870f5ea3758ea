#include "foundation/codec/smtp/reply.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/smtp/limits.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::smtp {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes up to three digits off the front.
std::optional<int> take_number(std::string_view& text) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 4 && is_digit(text[digits])) {
        value = value * 10 + (text[digits++] - '0');
    }
    if (digits == 0 || digits > 3) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take_char(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<EnhancedCode> parse_enhanced(std::string_view text, int reply_code) {
    const auto status_class = take_number(text);
    if (!status_class || *status_class != reply_code / 100 || !take_char(text, '.')) {
        return std::nullopt;
    }
    const auto subject = take_number(text);
    if (!subject || !take_char(text, '.')) return std::nullopt;
    const auto detail = take_number(text);
    if (!detail || !(text.empty() || text.starts_with(' '))) return std::nullopt;
    return EnhancedCode{.status_class = *status_class, .subject = *subject, .detail = *detail};
}

void append_printable(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (out.size() == k_reply_text_bytes_max) return;
        out += c >= 0x20 && c < 0x7f ? c : '?';
    }
}

}  // namespace

Result<std::size_t> ReplyReader::consume(ByteView bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && !complete_) {
        const char c = static_cast<char>(bytes[at++]);
        if (after_cr_) {
            if (c != '\n') return fail(SmtpError::protocol_violation, "CR without LF");
            after_cr_ = false;
            if (auto r = end_line(); !r) return fail(std::move(r.error()));
        } else if (c == '\r') {
            after_cr_ = true;
        } else if (c == '\n' || c == '\0') {
            return fail(SmtpError::protocol_violation, "bare LF or NUL");
        } else if (line_.size() == k_line_bytes_max) {
            return fail(SmtpError::line_too_long);
        } else {
            line_ += c;
        }
    }
    return at;
}

Result<> ReplyReader::end_line() {
    const std::string_view line = line_;
    const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
                          is_digit(line[1]) && is_digit(line[2]) &&
                          (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!has_code) return fail(SmtpError::protocol_violation, "reply code");
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    // RFC 5321 section 4.2.1: every line of an answer has the same code.
    if (!lines_.empty() && code != code_) return fail(SmtpError::protocol_violation, "two codes");
    if (lines_.size() == k_reply_lines_max) return fail(SmtpError::too_many_lines);
    code_ = code;
    lines_.emplace_back(line.substr(std::min<std::size_t>(4, line.size())));
    complete_ = line.size() == 3 || line[3] == ' ';
    line_.clear();
    return {};
}

Reply ReplyReader::take() {
    Reply reply{.code = code_, .enhanced = parse_enhanced(lines_.front(), code_), .text = {}};
    for (const std::string& line : lines_) {
        if (!reply.text.empty()) append_printable(reply.text, " ");
        append_printable(reply.text, line);
    }
    *this = ReplyReader();
    return reply;
}

}  // namespace postern::smtp
