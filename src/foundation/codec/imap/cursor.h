#pragma once

#include "foundation/codec/imap/response_reader.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace postern::imap {

/// Reads the parts of one response from left to right. Nothing means: not there, or malformed.
/// A read at the end of the text sets cut_off(): a fetch is also parsed while its literal is
/// still to come.
class Cursor {
public:
    struct Text {
        bool nil = false;
        bool streamed = false;  ///< the value is a literal that went elsewhere
        WipedBytes value;
        [[nodiscard]] std::string_view view() const noexcept { return as_text(value); }
    };

    explicit Cursor(const Response& response) : response_(response) {}
    explicit Cursor(std::string_view text) : response_{.text = text} {}

    [[nodiscard]] bool at_end() const noexcept { return at_ >= response_.text.size(); }
    [[nodiscard]] bool cut_off() const noexcept { return cut_off_; }
    [[nodiscard]] std::string_view rest() const { return response_.text.substr(at_); }
    [[nodiscard]] bool peek(char c) const { return !at_end() && response_.text[at_] == c; }

    bool take(char c);
    [[nodiscard]] std::optional<std::uint64_t> number(
        std::uint64_t max = std::numeric_limits<std::uint32_t>::max());
    /// Up to a space, parenthesis, quote or the end; never empty.
    [[nodiscard]] std::optional<std::string_view> word();
    /// A word whose brackets may hold spaces: `BODY[HEADER.FIELDS (FROM TO)]<0>`.
    [[nodiscard]] std::optional<std::string_view> item_name();
    /// atom, quoted string, literal or NIL.
    [[nodiscard]] std::optional<Text> text();
    /// Any value, lists up to k_nesting_max deep.
    bool skip_value();

private:
    std::optional<Text> quoted();
    std::optional<Text> literal();

    Response response_;
    std::size_t at_ = 0;
    bool cut_off_ = false;
};

}  // namespace postern::imap
