#include "features/mail/reader/html_tokenizer.h"

#include "features/mail/reader/html_entity.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace postern::reader {
namespace {

constexpr std::size_t k_attributes_max = 64;

// Elements in whose content tags mean nothing. noscript is not among them: without scripts its
// content is markup.
constexpr std::array<std::string_view, 9> k_raw_text{
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"};

bool is_tag_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

}  // namespace

std::string_view HtmlToken::attribute(std::string_view wanted) const {
    const auto found = std::ranges::find(attributes, wanted, &HtmlAttribute::name);
    return found == attributes.end() ? std::string_view{} : found->value;
}

bool HtmlTokenizer::next(HtmlToken& token) {
    while (!rest_.empty()) {
        token = {};
        if (rest_.front() == '<' && rest_.size() > 1) {
            const std::size_t before = rest_.size();
            if (take_markup(token)) return true;
            if (rest_.size() != before) continue;
        }
        // A "<" that opens nothing is text.
        const std::size_t end = std::min(rest_.find('<', 1), rest_.size());
        token.text = decode_entities(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return true;
    }
    return false;
}

// True: `token` is a tag. Otherwise something was skipped, or the "<" is still there and is text.
bool HtmlTokenizer::take_markup(HtmlToken& token) {
    const char c = rest_[1];
    if (is_alpha(c)) return take_tag(token, false);
    const bool end_tag = c == '/';
    if (end_tag && rest_.size() > 2 && is_alpha(rest_[2])) return take_tag(token, true);
    if (c == '!' && rest_.starts_with("<!--")) {
        skip_comment();
    } else if (c == '!' || c == '?' || (end_tag && rest_.size() > 2)) {
        // "Bogus comments" end at the first ">", conditional comments of the shown kind as well.
        rest_.remove_prefix(std::min(rest_.find('>'), rest_.size() - 1) + 1);
    }
    return false;
}

void HtmlTokenizer::skip_comment() {
    rest_.remove_prefix(4);
    if (rest_.starts_with('>') || rest_.starts_with("->")) {
        rest_.remove_prefix(rest_.find('>') + 1);
        return;
    }
    for (std::size_t at = rest_.find("--"); at != std::string_view::npos;
         at = rest_.find("--", at + 1)) {
        const std::string_view tail = rest_.substr(at);
        if (!tail.starts_with("-->") && !tail.starts_with("--!>")) continue;
        rest_.remove_prefix(at + tail.find('>') + 1);
        return;
    }
    rest_ = {};
}

bool HtmlTokenizer::take_tag(HtmlToken& token, bool end_tag) {
    token.kind = end_tag ? HtmlToken::Kind::end_tag : HtmlToken::Kind::start_tag;
    rest_.remove_prefix(end_tag ? 2 : 1);
    std::size_t size = 0;
    while (size < rest_.size() && !is_tag_space(rest_[size]) && rest_[size] != '/' &&
           rest_[size] != '>') {
        ++size;
    }
    token.name = lower_case(rest_.substr(0, size));
    rest_.remove_prefix(size);
    take_attributes(token);
    if (rest_.empty()) return false;  // a tag that the end of the text cuts is no tag
    rest_.remove_prefix(1);
    if (!end_tag && std::ranges::find(k_raw_text, token.name) != k_raw_text.end()) {
        skip_raw_text(token.name);
    }
    return true;
}

void HtmlTokenizer::take_attributes(HtmlToken& token) {
    for (;;) {
        skip_space();
        if (rest_.empty() || rest_.front() == '>') return;
        if (rest_.front() == '/') {
            rest_.remove_prefix(1);
            token.self_closing = rest_.starts_with('>');
            continue;
        }
        take_attribute(token);
    }
}

void HtmlTokenizer::take_attribute(HtmlToken& token) {
    std::size_t size = 1;  // a "=" in first place belongs to the name
    while (size < rest_.size() && !is_tag_space(rest_[size]) && rest_[size] != '/' &&
           rest_[size] != '>' && rest_[size] != '=') {
        ++size;
    }
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_space();
    std::string value;
    if (rest_.starts_with('=')) value = take_value();
    if (token.attributes.size() == k_attributes_max) return;
    std::string lower = lower_case(name);
    if (std::ranges::find(token.attributes, lower, &HtmlAttribute::name) !=
        token.attributes.end()) {
        return;
    }
    token.attributes.push_back({std::move(lower), std::move(value)});
}

std::string HtmlTokenizer::take_value() {
    rest_.remove_prefix(1);
    skip_space();
    if (rest_.empty()) return {};
    const char quote = rest_.front();
    std::string_view value;
    if (quote == '"' || quote == '\'') {
        rest_.remove_prefix(1);
        value = rest_.substr(0, rest_.find(quote));
        rest_.remove_prefix(std::min(value.size() + 1, rest_.size()));
    } else {
        value = rest_.substr(0, rest_.find_first_of(" \t\n\r\f>"));
        rest_.remove_prefix(value.size());
    }
    return decode_entities(value);
}

void HtmlTokenizer::skip_raw_text(std::string_view name) {
    if (name == "plaintext") rest_ = {};
    for (std::size_t at = rest_.find("</"); at != std::string_view::npos;
         at = rest_.find("</", at + 2)) {
        const std::string_view tail = rest_.substr(at + 2);
        if (!starts_with_ignoring_case(tail, name)) continue;
        const bool ends =
            tail.size() > name.size() && (is_tag_space(tail[name.size()]) ||
                                          tail[name.size()] == '/' || tail[name.size()] == '>');
        if (!ends) continue;
        rest_.remove_prefix(at);
        return;
    }
    rest_ = {};
}

void HtmlTokenizer::skip_space() {
    while (!rest_.empty() && is_tag_space(rest_.front()))
        rest_.remove_prefix(1);
}

}  // namespace postern::reader
