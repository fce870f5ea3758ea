#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {

struct HtmlAttribute {
    std::string name;   ///< lower case
    std::string value;  ///< references undone
};

struct HtmlToken {
    enum class Kind : std::uint8_t { text, start_tag, end_tag };
    Kind kind = Kind::text;
    std::string name;                       ///< of a tag, lower case
    std::string text;                       ///< of a text, references undone
    std::vector<HtmlAttribute> attributes;  ///< the first of each name, at most 64
    bool self_closing = false;

    /// Empty if absent.
    [[nodiscard]] std::string_view attribute(std::string_view name) const;
};

/// Cuts HTML into texts and tags as browsers do (HTML Standard section 13.2.5), in linear time and
/// without a tree. Comments, declarations and the content of script, style, title and their like
/// are left out. Lifetime: `html`, valid UTF-8, must outlive the tokenizer.
class HtmlTokenizer {
public:
    explicit HtmlTokenizer(std::string_view html) : rest_(html) {}

    /// False at the end.
    [[nodiscard]] bool next(HtmlToken& token);

private:
    bool take_markup(HtmlToken& token);
    bool take_tag(HtmlToken& token, bool end_tag);
    void take_attributes(HtmlToken& token);
    void take_attribute(HtmlToken& token);
    [[nodiscard]] std::string take_value();
    void skip_comment();
    void skip_raw_text(std::string_view name);
    void skip_space();

    std::string_view rest_;
};

}  // namespace postern::reader
