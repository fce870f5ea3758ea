#include "features/mail/reader/quoted_text.h"

#include "features/mail/reader/quote_header.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

// From this length on, an unquoted line below a quoted one is its wrapped end, not an answer.
constexpr std::size_t k_wrapped_bytes_min = 60;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool is_blank(std::string_view line) {
    return trimmed(line).empty();
}

bool is_quoted(std::string_view line) {
    return trimmed(line).starts_with('>');
}

// Behind such a line stands a signature or the footer of a list, no answer.
bool starts_footer(std::string_view line) {
    line = trimmed(line);
    return line == "--" || line == "—" || line.starts_with("__");
}

class Splitter {
public:
    explicit Splitter(std::string_view text) : lines_(lines_of(text)) {
        end_of_run_.resize(lines_.size() + 1, 0);
        find_answers();
    }

    QuotedSplit run() const {
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if (is_quoted(lines_[i])) {
                if (!answered_below(i)) return fold(i, lines_.size());
                continue;
            }
            const std::size_t header = header_at(i);
            if (header == 0) continue;
            const std::size_t next = skip_blank(i + header);
            const bool marked = next < lines_.size() && is_quoted(lines_[next]);
            if (!marked || !answered_below(next)) return fold(i, lines_.size());
            const std::size_t end = end_of_run_[next];
            const bool bottom_posting = skip_blank(0) == i && last_quoted_ < end;
            if (bottom_posting) return fold(i, end);
            i = next - 1;
        }
        return {std::string(join(0, lines_.size())), {}};
    }

private:
    // An introducing line inside a paragraph is one only if it says so clearly; the cost of asking
    // is bounded either way.
    std::size_t header_at(std::size_t i) const {
        if (is_blank(lines_[i])) return 0;
        return quote_header_lines(std::span(lines_).subspan(i));
    }

    std::size_t skip_blank(std::size_t i) const {
        while (i < lines_.size() && is_blank(lines_[i]))
            ++i;
        return i;
    }

    // One pass from below: where the author wrote something under quoted lines.
    void find_answers() {
        std::size_t footer = lines_.size();
        bool in_quotes = false;
        bool wrapped = false;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            const std::string_view line = lines_[i];
            if (is_quoted(line)) {
                in_quotes = true;
                wrapped = line.size() >= k_wrapped_bytes_min;
                last_quoted_ = i;
                footer = lines_.size();
            } else if (is_blank(line)) {
                wrapped = false;
            } else if (starts_footer(line)) {
                footer = std::min(footer, i);
            } else if (in_quotes && !wrapped && i < footer) {
                last_answer_ = i;
            } else {
                wrapped = wrapped && line.size() >= k_wrapped_bytes_min;
            }
        }
        std::size_t end = lines_.size();
        for (std::size_t i = lines_.size(); i-- > 0;) {
            if (!is_quoted(lines_[i]) && !is_blank(lines_[i])) end = i;
            end_of_run_[i] = end;
        }
    }

    bool answered_below(std::size_t i) const { return last_answer_ > i; }

    QuotedSplit fold(std::size_t begin, std::size_t end) const {
        // Rules and blank lines above belong to what they set apart.
        while (begin > 0 && (is_blank(lines_[begin - 1]) || is_rule(lines_[begin - 1])))
            --begin;
        QuotedSplit split;
        split.quoted_text = trimmed(join(begin, end));
        const std::string_view above = join(0, begin);
        const std::string_view below = join(end, lines_.size());
        split.new_text = trimmed(above).empty() ? trimmed(below) : trimmed_right(above);
        return split;
    }

    static std::string_view trimmed_right(std::string_view text) {
        while (!text.empty() && is_space(text.back()))
            text.remove_suffix(1);
        return text;
    }

    // The lines are pieces of one text.
    std::string_view join(std::size_t begin, std::size_t end) const {
        if (begin >= end) return {};
        const char* first = lines_[begin].data();
        const char* last = lines_[end - 1].data() + lines_[end - 1].size();
        return {first, static_cast<std::size_t>(last - first)};
    }

    Lines lines_;
    std::vector<std::size_t> end_of_run_;  // first line behind the quoted lines that start here
    std::size_t last_quoted_ = 0;
    std::size_t last_answer_ = 0;
};

}  // namespace

QuotedSplit split_quoted(std::string_view text) {
    return Splitter(text).run();
}

}  // namespace postern::reader
