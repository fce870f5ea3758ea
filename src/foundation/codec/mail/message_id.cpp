#include "foundation/codec/mail/message_id.h"

#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/encoded_word.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::codec {
namespace {

constexpr std::string_view k_bare_ends = " \t\r\n,;<>()\"";

/// Size of the comment that `text` starts with, 0 when it does not end.
std::size_t comment_size(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '(') {
            ++depth;
        } else if (text[i] == ')' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/// Size of the quoted string that `text` starts with, 0 when it does not end.
std::size_t quoted_size(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

}  // namespace

MessageIdReader::MessageIdReader(std::string_view value)
    : rest_(value.substr(0, k_id_field_bytes_max)) {
    if (rest_.find("=?") == std::string_view::npos) return;
    decoded_ = decode_words(rest_);
    rest_ = decoded_;
}

std::optional<std::string> MessageIdReader::next() {
    while (!rest_.empty()) {
        if (skip_quiet_part()) continue;
        std::string id = rest_.front() == '<' ? take_bracketed() : take_bare();
        const bool fits = !id.empty() && id.size() <= k_message_id_bytes_max;
        if (fits && std::ranges::none_of(id, is_control)) return id;
    }
    return std::nullopt;
}

/// Moves over what can hold no id; false when there is nothing of that.
bool MessageIdReader::skip_quiet_part() {
    const char c = rest_.front();
    if (c == '<' || k_bare_ends.find(c) == std::string_view::npos) return false;
    std::size_t size = 1;
    // One that does not end is an ordinary character, and so are all behind it: searching for the
    // end of each again would take quadratic time.
    if (c == '(' && comments_) {
        size = comment_size(rest_);
        comments_ = size != 0;
    } else if (c == '"' && quotes_) {
        size = quoted_size(rest_);
        quotes_ = size != 0;
    }
    rest_.remove_prefix(std::max<std::size_t>(size, 1));
    return true;
}

std::string MessageIdReader::take_bracketed() {
    rest_.remove_prefix(1);
    const auto end = std::min(rest_.find_first_of("<>"), rest_.size());
    auto inside = rest_.substr(0, end);
    const bool closed = end < rest_.size() && rest_[end] == '>';
    rest_.remove_prefix(closed ? end + 1 : end);
    if (!closed) {
        inside = trim(inside);
        inside = inside.substr(0, inside.find_first_of(" \t\r\n,;"));
    }
    std::string id(inside);
    std::erase_if(id, is_blank);
    return id;
}

std::string MessageIdReader::take_bare() {
    const auto end = std::min(rest_.find_first_of(k_bare_ends), rest_.size());
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    // The rest of the words are a phrase: "Your message of Monday" (RFC 5322 section 4.5.4).
    return word.find('@') == std::string_view::npos ? std::string() : std::string(word);
}

std::optional<std::string> first_message_id(std::string_view value) {
    return MessageIdReader(value).next();
}

bool ends_in_label(std::string_view id, std::string_view label) noexcept {
    return !label.empty() && id.size() > label.size() &&
           equal_but_for_case(id.substr(id.size() - label.size()), label);
}

void append_labelled_ids(std::string_view value,
                         std::string_view label,
                         std::size_t ids_max,
                         std::vector<std::string>& ids) {
    MessageIdReader reader(value);
    while (ids.size() < ids_max) {
        auto id = reader.next();
        if (!id) return;
        if (!ends_in_label(*id, label) || std::ranges::find(ids, *id) != ids.end()) continue;
        ids.push_back(*std::move(id));
    }
}

}  // namespace postern::codec
