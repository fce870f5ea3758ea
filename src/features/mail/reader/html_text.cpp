#include "features/mail/reader/html_text.h"

#include "features/mail/reader/html_policy.h"
#include "features/mail/reader/html_tokenizer.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_open_max = 256;
constexpr std::size_t k_quotes_max = 16;
constexpr std::size_t k_style_bytes_max = 4096;
constexpr std::uint32_t k_blank_lines_max = 1;

// "display: NONE ;" -> "display:none;"
std::string normal_style(std::string_view style) {
    std::string out = lower_case(style.substr(0, k_style_bytes_max));
    std::erase_if(out, is_space);
    return out + ";";
}

bool is_hidden(const HtmlToken& token) {
    static constexpr std::array<std::string_view, 12> k_hiding{
        "display:none", "visibility:hidden", "font-size:0;",  "font-size:0p",
        "font-size:0e", "font-size:0%",      "font-size:0.0", "font-size:0!",
        "opacity:0;",   "opacity:0!",        "max-height:0",  "mso-hide:all"};
    const auto has = [&token](std::string_view name) {
        return std::ranges::find(token.attributes, name, &HtmlAttribute::name) !=
               token.attributes.end();
    };
    if (has("hidden")) return true;
    const std::string style = normal_style(token.attribute("style"));
    return std::ranges::any_of(k_hiding, [&](std::string_view how) { return style.contains(how); });
}

// Collapses white space and writes line ends and quote marks only when text follows.
class TextWriter {
public:
    explicit TextWriter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    [[nodiscard]] bool full() const { return out_.size() >= bytes_max_; }

    void text(std::string_view raw, bool keep_space) {
        for (std::size_t at = 0; at < raw.size();) {
            const char32_t c = next_code_point(raw, at);
            if (c == '\n' && keep_space) {
                line(1);
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == 0xA0) {
                if (keep_space && c != '\r') put(' ');
                space_ = !keep_space;
            } else if (!is_invisible(c) && c != 0x200C && c >= 0x20 && (c < 0x7F || c > 0x9F)) {
                put(c);
            }
        }
    }
    /// The next text starts a line; `lines` = 2 leaves an empty one.
    void block(std::uint32_t lines) {
        lines_ = std::max(lines_, lines);
        space_ = false;
    }
    /// A line end by itself (br, pre).
    void line(std::uint32_t lines) {
        lines_ = std::min(lines_ + lines, k_blank_lines_max + 1);
        space_ = false;
    }
    void mark(std::string_view text) {
        for (const char c : text)
            put(static_cast<unsigned char>(c));
    }
    void quote(int change) {
        block(1);
        if (change > 0) ++quotes_;
        if (change < 0 && quotes_ > 0) --quotes_;
    }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] bool contains_since(std::size_t begin, std::string_view text) const {
        return std::string_view(out_).substr(begin).contains(text);
    }
    std::string take() { return std::string(cut_utf8(out_, bytes_max_)); }

private:
    void put(char32_t c) {
        if (full()) return;
        const bool first = out_.empty();
        if (lines_ > 0 || first) {
            if (!first) end_lines();
            write_quotes();
        } else if (space_) {
            out_.push_back(' ');
        }
        lines_ = 0;
        space_ = false;
        append_utf8(out_, c);
    }
    void end_lines() {
        out_.push_back('\n');
        for (std::uint32_t i = 1; i < lines_; ++i) {
            out_.append(std::min({quotes_, last_quotes_, k_quotes_max}), '>');
            out_.push_back('\n');
        }
    }
    void write_quotes() {
        out_.append(std::min(quotes_, k_quotes_max), '>');
        if (quotes_ > 0) out_.push_back(' ');
        last_quotes_ = quotes_;
    }

    std::size_t bytes_max_;
    std::string out_;
    std::uint32_t lines_ = 0;
    std::size_t quotes_ = 0;
    std::size_t last_quotes_ = 0;  // of the line before
    bool space_ = false;
};

class HtmlReader {
public:
    explicit HtmlReader(std::size_t bytes_max) : writer_(bytes_max) {}

    std::string run(std::string_view html) {
        HtmlTokenizer tokenizer(html);
        HtmlToken token;
        while (!writer_.full() && tokenizer.next(token)) {
            switch (token.kind) {
                case HtmlToken::Kind::text:
                    if (hidden_ == 0) writer_.text(token.text, pre_ > 0);
                    break;
                case HtmlToken::Kind::start_tag: start(token); break;
                case HtmlToken::Kind::end_tag: end(canonical_element(token.name)); break;
            }
        }
        return writer_.take();
    }

private:
    struct Open {
        std::string name;
        bool hidden = false;
        std::string link;
        std::size_t begin = 0;  // size of the output
    };

    void start(const HtmlToken& token) {
        const std::string_view name = canonical_element(token.name);
        const ElementRule rule = element_rule(name);
        if (rule == ElementRule::vanish) return;
        if (rule == ElementRule::keep_void) {
            if (hidden_ > 0) return;
            if (name == "br") writer_.line(1);
            if (name == "hr") writer_.block(1);
            return;
        }
        if (token.self_closing && (name == "svg" || name == "math")) return;
        if (open_.size() == k_open_max) {
            ++too_deep_;  // its end tag must not end something hidden further out
            return;
        }
        const bool hidden = rule == ElementRule::drop || is_hidden(token);
        std::string link = name == "a" && !hidden ? safe_link(token.attribute("href")) : "";
        open_.push_back({std::string(name), hidden, std::move(link), writer_.size()});
        if (hidden) ++hidden_;
        if (hidden_ == 0) begin_element(name);
    }

    void begin_element(std::string_view name) {
        if (name == "blockquote") writer_.quote(+1);
        if (name == "pre") ++pre_;
        if (name == "td" || name == "th") {
            writer_.text(" ", false);
        } else if (is_block_element(name)) {
            writer_.block(spacing(name));
        }
        if (name == "li") writer_.mark("- ");
    }

    void end(std::string_view name) {
        if (too_deep_ > 0) {
            --too_deep_;
            return;
        }
        const auto found = std::ranges::find(open_.rbegin(), open_.rend(), name, &Open::name);
        if (found == open_.rend()) return;
        const auto size = static_cast<std::size_t>(open_.rend() - found) - 1;
        // Cells and tables keep stray end tags inside from closing what is outside.
        const bool table_tag = name == "table" || name == "tr" || name == "td" || name == "th" ||
                               name == "thead" || name == "tbody";
        const bool wall = std::any_of(open_.rbegin(), found, [](const Open& element) {
            return element.name == "td" || element.name == "th";
        });
        if (wall && !table_tag) return;
        while (open_.size() > size)
            end_innermost();
    }

    void end_innermost() {
        const Open element = std::move(open_.back());
        open_.pop_back();
        if (hidden_ == 0) {
            if (!element.link.empty()) write_link(element);
            if (element.name == "blockquote") writer_.quote(-1);
            if (element.name == "pre" && pre_ > 0) --pre_;
            if (is_block_element(element.name) && element.name != "td" && element.name != "th") {
                writer_.block(spacing(element.name));
            }
        }
        if (element.hidden) --hidden_;
    }

    void write_link(const Open& element) {
        // Most links show their own address already.
        const std::string_view address =
            std::string_view(element.link)
                .substr(element.link.find(':') + (element.link.starts_with("mailto:") ? 1 : 3));
        if (writer_.contains_since(element.begin, address)) return;
        writer_.text(" ", false);
        writer_.mark("<" + element.link + ">");
    }

    static std::uint32_t spacing(std::string_view name) {
        return name == "p" || name.front() == 'h' || name == "pre" ? 2 : 1;
    }

    TextWriter writer_;
    std::vector<Open> open_;
    std::size_t hidden_ = 0;
    std::size_t too_deep_ = 0;
    std::size_t pre_ = 0;
};

}  // namespace

std::string html_to_text(std::string_view html, std::size_t bytes_max) {
    const std::string clean = repaired_utf8(cut_utf8(html, 4 * bytes_max));
    return HtmlReader(bytes_max).run(clean);
}

}  // namespace postern::reader
