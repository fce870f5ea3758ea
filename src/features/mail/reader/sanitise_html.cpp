#include "features/mail/reader/sanitise_html.h"

#include "features/mail/reader/html_entity.h"
#include "features/mail/reader/html_policy.h"
#include "features/mail/reader/html_tokenizer.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_open_max = 96;
constexpr std::size_t k_table_room = 4;  // table, tbody, tr, td: what a table may open by itself
constexpr std::size_t k_alt_bytes_max = 512;
constexpr int k_span_max = 100;

using Names = std::initializer_list<std::string_view>;

bool one_of(std::string_view name, Names names) {
    return std::ranges::find(names, name) != names.end();
}

// Text without the control characters that HTML does not have.
std::string clean_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_code_point(text, at);
        const bool space = c == '\t' || c == '\n';
        if (space || (c >= 0x20 && (c < 0x7F || c >= 0xA0))) append_utf8(out, c);
    }
    return out;
}

bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, is_space);
}

// Writes well-formed HTML: knows what is open, closes what must be closed, and keeps room for the
// end tags within the bound.
class HtmlWriter {
public:
    explicit HtmlWriter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    [[nodiscard]] bool full() const { return full_; }
    [[nodiscard]] bool can_open(std::string_view name) const {
        const std::size_t room = name == "table" ? k_table_room : 1;
        // Rows and cells found their room reserved when their table was opened.
        return open_.size() + room <= k_open_max || is_table_part(name);
    }
    [[nodiscard]] static bool is_table_part(std::string_view name) {
        return one_of(name, {"thead", "tbody", "tr", "td", "th"});
    }

    void open(std::string_view name, std::string_view attributes) {
        const std::size_t end_tag = name.size() + 3;
        if (!fits(name.size() + 2 + attributes.size() + end_tag)) return;
        write_tag(name, attributes);
        open_.push_back(name);
        reserved_ += end_tag;
    }
    void write_void(std::string_view name, std::string_view attributes) {
        if (fits(name.size() + 2 + attributes.size())) write_tag(name, attributes);
    }
    void write_text(std::string_view text) {
        if (full_) return;  // its cell may be what did not fit
        std::string escaped;
        escaped.reserve(text.size());
        append_escaped(escaped, text);
        if (escaped.size() <= room()) {
            out_ += escaped;
            return;
        }
        full_ = true;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t from = at;
            (void)next_code_point(text, at);
            escaped.clear();
            append_escaped(escaped, text.substr(from, at - from));
            if (escaped.size() > room()) break;
            out_ += escaped;
        }
    }

    /// The innermost open element of `names` that no element of `walls` hides; open().size() if
    /// there is none.
    [[nodiscard]] std::size_t find_open(Names names, Names walls) const {
        for (std::size_t i = open_.size(); i-- > 0;) {
            if (one_of(open_[i], names)) return i;
            if (one_of(open_[i], walls)) break;
        }
        return open_.size();
    }
    void close_down_to(std::size_t size) {
        while (open_.size() > size) {
            out_ += "</";
            out_ += open_.back();
            out_ += '>';
            reserved_ -= open_.back().size() + 3;
            open_.pop_back();
        }
    }
    [[nodiscard]] const std::vector<std::string_view>& open_elements() const { return open_; }
    [[nodiscard]] std::string_view innermost() const {
        return open_.empty() ? std::string_view{} : open_.back();
    }
    std::string take() {
        close_down_to(0);
        return std::move(out_);
    }

private:
    [[nodiscard]] std::size_t room() const {
        const std::size_t used = out_.size() + reserved_;
        return used < bytes_max_ ? bytes_max_ - used : 0;
    }
    bool fits(std::size_t bytes) {
        if (bytes > room()) full_ = true;
        return !full_;
    }
    void write_tag(std::string_view name, std::string_view attributes) {
        out_ += '<';
        out_ += name;
        out_ += attributes;
        out_ += '>';
    }

    std::size_t bytes_max_;
    std::size_t reserved_ = 0;
    bool full_ = false;
    std::string out_;
    std::vector<std::string_view> open_;  // names of the policy's tables
};

void add_attribute(std::string& out, std::string_view name, std::string_view value) {
    out += ' ';
    out += name;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
}

std::string direction_attribute(const HtmlToken& token) {
    const std::string value = lower_case(token.attribute("dir"));
    std::string out;
    if (value == "rtl" || value == "ltr" || value == "auto") add_attribute(out, "dir", value);
    return out;
}

void add_span_attribute(std::string& out, const HtmlToken& token, std::string_view name) {
    const std::string_view text = trimmed(token.attribute(name));
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 2 || value > k_span_max) return;
    add_attribute(out, name, std::to_string(value));
}

// The static spelling of an allowed name, so that the writer's stack needs no copies.
std::string_view interned(std::string_view name) {
    static constexpr std::array<std::string_view, 31> k_names{
        "a",      "b",     "blockquote", "br", "code", "div",   "em", "h1", "h2",  "h3", "h4",
        "h5",     "h6",    "hr",         "i",  "img",  "li",    "ol", "p",  "pre", "s",  "span",
        "strong", "table", "tbody",      "td", "th",   "thead", "tr", "u",  "ul"};
    const auto found = std::ranges::find(k_names, name);
    return found == k_names.end() ? std::string_view{} : *found;
}

class Sanitiser {
public:
    Sanitiser(const SanitiseOptions& options, SanitiseReport& report)
        : options_(options), report_(report), writer_(options.output_bytes_max) {}

    std::string run(std::string_view html) {
        HtmlTokenizer tokenizer(html);
        HtmlToken token;
        while (!writer_.full() && tokenizer.next(token)) {
            if (dropping_.empty()) {
                take(token);
            } else {
                skip(token);
            }
        }
        if (writer_.full()) report_.cut = true;
        return writer_.take();
    }

private:
    void take(const HtmlToken& token) {
        switch (token.kind) {
            case HtmlToken::Kind::text: text(token.text); break;
            case HtmlToken::Kind::start_tag: start(token); break;
            case HtmlToken::Kind::end_tag: end(canonical_element(token.name)); break;
        }
    }

    // Within an element that goes with its content: only its own tags count.
    void skip(const HtmlToken& token) {
        if (token.kind == HtmlToken::Kind::text || token.name != dropping_) return;
        if (token.kind == HtmlToken::Kind::start_tag) {
            ++drop_depth_;
        } else if (--drop_depth_ == 0) {
            dropping_.clear();
        }
    }

    void text(std::string_view raw) {
        const std::string clean = clean_text(raw);
        if (clean.empty()) return;
        if (in_table_frame()) {
            if (is_blank(clean)) return;
            open_cell();
        }
        writer_.write_text(clean);
    }

    void start(const HtmlToken& token) {
        const std::string_view name = canonical_element(token.name);
        switch (element_rule(name)) {
            case ElementRule::unwrap: return;
            case ElementRule::vanish: ++report_.dropped_elements; return;
            case ElementRule::drop:
                ++report_.dropped_elements;
                // Only foreign elements can close themselves.
                if (token.self_closing && one_of(name, {"svg", "math"})) return;
                dropping_ = token.name;
                drop_depth_ = 1;
                return;
            case ElementRule::keep:
            case ElementRule::keep_void: break;
        }
        if (HtmlWriter::is_table_part(name)) {
            table_part(interned(name), token);
        } else if (element_rule(name) == ElementRule::keep_void) {
            void_element(interned(name), token);
        } else {
            element(interned(name), token);
        }
    }

    void element(std::string_view name, const HtmlToken& token) {
        std::string attributes = direction_attribute(token);
        if (name == "a") {
            const std::string link = safe_link(token.attribute("href"));
            if (link.empty()) {
                ++report_.dropped_links;
                return;
            }
            attributes.clear();
            add_attribute(attributes, "href", link);
            add_attribute(attributes, "rel", "noopener noreferrer nofollow");
            attributes += direction_attribute(token);
        }
        if (!writer_.can_open(name)) return;
        if (in_table_frame()) open_cell();
        close_before(name);
        if (writer_.can_open(name)) writer_.open(name, attributes);
    }

    void void_element(std::string_view name, const HtmlToken& token) {
        std::string attributes;
        if (name == "img" && !image(token, attributes)) return;
        if (in_table_frame()) open_cell();
        if (name == "hr") close_before(name);
        writer_.write_void(name, attributes);
    }

    bool image(const HtmlToken& token, std::string& attributes) {
        const std::string_view source = token.attribute("src");
        const std::string id = content_id_of(source);
        const bool known = options_.content_ids == nullptr || options_.content_ids->contains(id);
        if (id.empty() || !known) {
            ++(is_remote(source) ? report_.remote_images : report_.dropped_images);
            return false;
        }
        add_attribute(attributes, "src", "cid:" + id);
        const std::string alt = display_line(token.attribute("alt"), k_alt_bytes_max);
        if (!alt.empty()) add_attribute(attributes, "alt", alt);
        return true;
    }

    // The implied end tags of the HTML Standard, as far as the subset has them.
    void close_before(std::string_view name) {
        const Names walls{"td", "th", "table"};
        if (is_block_element(name)) close_open({"p"}, walls);
        if (name == "li") close_open({"li"}, {"td", "th", "table", "ul", "ol"});
        if (name == "a") close_open({"a"}, walls);
        if (name.size() == 2 && name.front() == 'h' && is_digit(name.back())) {
            close_open({"h1", "h2", "h3", "h4", "h5", "h6"},
                       {"td", "th", "table", "div", "blockquote", "li", "ul", "ol"});
        }
    }

    void close_open(Names names, Names walls) {
        writer_.close_down_to(writer_.find_open(names, walls));
    }

    // Between table and cell, where text must not stand.
    [[nodiscard]] bool in_table_frame() const {
        return one_of(writer_.innermost(), {"table", "thead", "tbody", "tr"});
    }

    void open_cell() {
        if (writer_.innermost() != "tr") writer_.open("tr", "");
        writer_.open("td", "");
    }

    void table_part(std::string_view name, const HtmlToken& token) {
        const std::size_t none = writer_.open_elements().size();
        const std::size_t table = writer_.find_open({"table"}, {});
        if (table == none) return;  // a cell without table: its content stays
        std::string attributes = direction_attribute(token);
        if (one_of(name, {"thead", "tbody"})) {
            writer_.close_down_to(table + 1);
        } else if (name == "tr") {
            close_open({"tr"}, {"table"});
            writer_.close_down_to(writer_.find_open({"thead", "tbody", "table"}, {}) + 1);
        } else {
            const std::size_t row = writer_.find_open({"tr"}, {"table"});
            const bool in_row = row < writer_.open_elements().size();
            writer_.close_down_to(
                (in_row ? row : writer_.find_open({"thead", "tbody", "table"}, {})) + 1);
            if (!in_row) writer_.open("tr", "");
            add_span_attribute(attributes, token, "colspan");
            add_span_attribute(attributes, token, "rowspan");
        }
        writer_.open(name, attributes);
    }

    void end(std::string_view name) {
        const std::string_view known = interned(name);
        if (known.empty()) return;
        if (HtmlWriter::is_table_part(known) || known == "table") {
            close_open({known}, {known == "table" ? std::string_view{} : "table"});
        } else {
            close_open({known}, {"td", "th", "table"});
        }
    }

    const SanitiseOptions& options_;
    SanitiseReport& report_;
    HtmlWriter writer_;
    std::string dropping_;
    std::uint32_t drop_depth_ = 0;
};

}  // namespace

std::string sanitise_html(std::string_view html,
                          SanitiseReport& report,
                          const SanitiseOptions& options) {
    const std::string_view bounded = cut_utf8(html, 4 * options.output_bytes_max);
    if (bounded.size() < html.size()) report.cut = true;
    return Sanitiser(options, report).run(repaired_utf8(bounded));
}

}  // namespace postern::reader
