#pragma once

#include <array>
#include <string>
#include <string_view>

namespace postern::reader {

/// For tests and fuzzing only: says what is wrong with sanitised HTML, empty if nothing. Written
/// without the sanitiser's code and tables, so that both would have to be wrong in the same way.
/// Reads the text the way the strictest reader would: any "<" must start an allowed tag written in
/// the one allowed form, any attribute must be on its tag's list.
class HtmlOracle {
public:
    [[nodiscard]] static std::string fault(std::string_view html) {
        HtmlOracle oracle(html);
        while (oracle.problem_.empty() && !oracle.rest_.empty())
            oracle.step();
        if (oracle.problem_.empty()) return {};
        return oracle.problem_ + " before: " + std::string(oracle.rest_.substr(0, 60));
    }

private:
    explicit HtmlOracle(std::string_view html) : rest_(html) {}

    void step() {
        const char c = rest_.front();
        if (c == '<') {
            tag();
            return;
        }
        if (c == '>' || c == '"' || c == '\'' || c == '`') problem_ = "bare markup character";
        if (c == '&' && !reference()) problem_ = "bare ampersand";
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) problem_ = "control character";
        rest_.remove_prefix(1);
    }

    [[nodiscard]] bool reference() const {
        for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#96;"}) {
            if (rest_.starts_with(known)) return true;
        }
        return false;
    }

    static bool is_letter_or_digit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    void tag() {
        rest_.remove_prefix(1);
        const bool end = rest_.starts_with('/');
        if (end) rest_.remove_prefix(1);
        std::size_t size = 0;
        while (size < rest_.size() && is_letter_or_digit(rest_[size])) {
            ++size;
        }
        const std::string_view name = rest_.substr(0, size);
        if (!allowed_tag(name)) problem_ = "forbidden tag";
        rest_.remove_prefix(size);
        while (!end && problem_.empty() && rest_.starts_with(' '))
            attribute(name);
        if (!rest_.starts_with('>')) {
            if (problem_.empty()) problem_ = "broken tag";
            return;
        }
        rest_.remove_prefix(1);
    }

    void attribute(std::string_view tag) {
        rest_.remove_prefix(1);
        const std::size_t equals = rest_.find("=\"");
        const std::size_t quote =
            equals == std::string_view::npos ? equals : rest_.find('"', equals + 2);
        if (quote == std::string_view::npos) {
            problem_ = "broken attribute";
            return;
        }
        const std::string_view name = rest_.substr(0, equals);
        const std::string_view value = rest_.substr(equals + 2, quote - equals - 2);
        if (!allowed_attribute(tag, name, value)) problem_ = "forbidden attribute";
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            const bool bad = c == '<' || c == '>' || c == '\'' || c == '`' || byte < 0x20;
            if (bad) problem_ = "bad character in attribute";
        }
        rest_.remove_prefix(quote + 1);
    }

    static bool allowed_tag(std::string_view name) {
        static constexpr std::string_view k_tags =
            " p br div span b strong i em u s blockquote ul ol li pre code h1 h2 h3 h4 h5 h6 table "
            "thead tbody tr td th hr a img ";
        return !name.empty() && k_tags.contains(" " + std::string(name) + " ");
    }

    static bool allowed_attribute(std::string_view tag,
                                  std::string_view name,
                                  std::string_view value) {
        if (name == "dir") return value == "ltr" || value == "rtl" || value == "auto";
        if (tag == "a" && name == "rel") return value == "noopener noreferrer nofollow";
        if (tag == "a" && name == "href") {
            return value.starts_with("http://") || value.starts_with("https://") ||
                   value.starts_with("mailto:");
        }
        if (tag == "img" && name == "src") return value.starts_with("cid:");
        if (tag == "img" && name == "alt") return true;
        const bool cell = tag == "td" || tag == "th";
        return cell && (name == "colspan" || name == "rowspan") && value.size() <= 3;
    }

    std::string_view rest_;
    std::string problem_;
};

}  // namespace postern::reader
