#include "platform/audit/anchor_finder.h"

#include "platform/audit/anchor_line.h"

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

constexpr std::string_view k_begin = "postern-anchor-1 ";
constexpr std::size_t k_spaces = 5;

bool is_of_anchor(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

/// The part that may be one: six words with a space between each two.
std::string_view words_of(std::string_view text) {
    std::size_t spaces = 0;
    std::size_t size = 0;
    while (size < text.size()) {
        const char c = text[size];
        if (c == ' ' && ++spaces > k_spaces) break;
        if (c != ' ' && !is_of_anchor(c)) break;
        ++size;
    }
    return text.substr(0, size);
}

}  // namespace

void AnchorFinder::take(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto part = bytes.substr(0, end);
        if (part.size() > k_line_bytes_max - line_.size()) is_long_ = true;
        if (!is_long_) line_.append(part);
        if (end == std::string_view::npos) return;
        end_line();
        bytes.remove_prefix(end + 1);
    }
}

void AnchorFinder::finish() {
    if (!line_.empty() || is_long_) end_line();
}

std::vector<Anchor> AnchorFinder::take_found() {
    return std::exchange(found_, {});
}

void AnchorFinder::end_line() {
    ++lines_;
    if (is_long_) {
        ++too_long_;
    } else if (const auto begin = line_.find(k_begin); begin != std::string::npos) {
        const auto words = words_of(std::string_view(line_).substr(begin));
        if (auto anchor = parse_anchor(words)) {
            found_.push_back(std::move(*anchor));
        } else if (broken_.size() < k_broken_max) {
            broken_.push_back(lines_);
        }
    }
    line_.clear();
    is_long_ = false;
}

}  // namespace postern::audit
