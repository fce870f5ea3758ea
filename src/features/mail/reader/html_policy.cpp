#include "features/mail/reader/html_policy.h"

#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::reader {
namespace {

constexpr std::size_t k_link_bytes_max = 4096;
constexpr std::size_t k_content_id_bytes_max = 256;

struct Rule {
    std::string_view name;
    ElementRule rule;
};

// Unlisted elements are unwrapped. Sorted.
constexpr std::array k_rules{
    Rule{"a", ElementRule::keep},         Rule{"applet", ElementRule::drop},
    Rule{"area", ElementRule::vanish},    Rule{"audio", ElementRule::drop},
    Rule{"b", ElementRule::keep},         Rule{"base", ElementRule::vanish},
    Rule{"bgsound", ElementRule::vanish}, Rule{"blockquote", ElementRule::keep},
    Rule{"br", ElementRule::keep_void},   Rule{"button", ElementRule::drop},
    Rule{"canvas", ElementRule::drop},    Rule{"code", ElementRule::keep},
    Rule{"col", ElementRule::vanish},     Rule{"datalist", ElementRule::drop},
    Rule{"div", ElementRule::keep},       Rule{"em", ElementRule::keep},
    Rule{"embed", ElementRule::vanish},   Rule{"frame", ElementRule::vanish},
    Rule{"frameset", ElementRule::drop},  Rule{"h1", ElementRule::keep},
    Rule{"h2", ElementRule::keep},        Rule{"h3", ElementRule::keep},
    Rule{"h4", ElementRule::keep},        Rule{"h5", ElementRule::keep},
    Rule{"h6", ElementRule::keep},        Rule{"hr", ElementRule::keep_void},
    Rule{"i", ElementRule::keep},         Rule{"iframe", ElementRule::drop},
    Rule{"img", ElementRule::keep_void},  Rule{"input", ElementRule::vanish},
    Rule{"keygen", ElementRule::vanish},  Rule{"li", ElementRule::keep},
    Rule{"link", ElementRule::vanish},    Rule{"math", ElementRule::drop},
    Rule{"meta", ElementRule::vanish},    Rule{"noembed", ElementRule::drop},
    Rule{"noframes", ElementRule::drop},  Rule{"noscript", ElementRule::drop},
    Rule{"object", ElementRule::drop},    Rule{"ol", ElementRule::keep},
    Rule{"p", ElementRule::keep},         Rule{"param", ElementRule::vanish},
    Rule{"plaintext", ElementRule::drop}, Rule{"pre", ElementRule::keep},
    Rule{"s", ElementRule::keep},         Rule{"script", ElementRule::drop},
    Rule{"select", ElementRule::drop},    Rule{"source", ElementRule::vanish},
    Rule{"span", ElementRule::keep},      Rule{"strong", ElementRule::keep},
    Rule{"style", ElementRule::drop},     Rule{"svg", ElementRule::drop},
    Rule{"table", ElementRule::keep},     Rule{"tbody", ElementRule::keep},
    Rule{"td", ElementRule::keep},        Rule{"template", ElementRule::drop},
    Rule{"textarea", ElementRule::drop},  Rule{"th", ElementRule::keep},
    Rule{"thead", ElementRule::keep},     Rule{"title", ElementRule::drop},
    Rule{"tr", ElementRule::keep},        Rule{"track", ElementRule::vanish},
    Rule{"u", ElementRule::keep},         Rule{"ul", ElementRule::keep},
    Rule{"video", ElementRule::drop},     Rule{"wbr", ElementRule::vanish},
    Rule{"xml", ElementRule::drop},       Rule{"xmp", ElementRule::drop},
};
static_assert(std::ranges::is_sorted(k_rules, {}, &Rule::name));

struct Synonym {
    std::string_view name;
    std::string_view canonical;
};
constexpr std::array k_synonyms{
    Synonym{"strike", "s"},    Synonym{"del", "s"},        Synonym{"ins", "u"},
    Synonym{"tt", "code"},     Synonym{"kbd", "code"},     Synonym{"samp", "code"},
    Synonym{"center", "div"},  Synonym{"section", "div"},  Synonym{"article", "div"},
    Synonym{"header", "div"},  Synonym{"footer", "div"},   Synonym{"main", "div"},
    Synonym{"aside", "div"},   Synonym{"nav", "div"},      Synonym{"address", "div"},
    Synonym{"figure", "div"},  Synonym{"fieldset", "div"}, Synonym{"form", "div"},
    Synonym{"dl", "div"},      Synonym{"dt", "div"},       Synonym{"dd", "div"},
    Synonym{"listing", "pre"}, Synonym{"tfoot", "tbody"},  Synonym{"menu", "ul"},
    Synonym{"dir", "ul"},      Synonym{"image", "img"},
};

constexpr std::array<std::string_view, 20> k_blocks{
    "p",  "div", "blockquote", "ul", "ol", "li",    "pre",   "hr",    "h1", "h2",
    "h3", "h4",  "h5",         "h6", "td", "table", "tbody", "thead", "th", "tr"};

// Browsers take tabs and line ends out of an address and trim the rest (URL Standard 4.4).
std::string without_controls(std::string_view value) {
    std::string out;
    for (std::size_t at = 0; at < value.size();) {
        const char32_t c = next_code_point(value, at);
        const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
        if (!control && !is_invisible(c)) append_utf8(out, c);
    }
    return std::string(trimmed(out));
}

// "//host/..." or "//host:port?..." behind the scheme.
bool is_plain_authority(std::string_view rest) {
    if (!rest.starts_with("//")) return false;
    rest.remove_prefix(2);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return !authority.empty() &&
           authority.find_first_of("@\\ \"<>^`{|}%") == std::string_view::npos;
}

std::string percent_decoded_id(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                            hex_value(text[i + 2]) >= 0;
        if (escape) {
            out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

}  // namespace

ElementRule element_rule(std::string_view name) {
    const auto found = std::ranges::lower_bound(k_rules, name, {}, &Rule::name);
    return found != k_rules.end() && found->name == name ? found->rule : ElementRule::unwrap;
}

std::string_view canonical_element(std::string_view name) {
    const auto found = std::ranges::find(k_synonyms, name, &Synonym::name);
    return found == k_synonyms.end() ? name : found->canonical;
}

bool is_block_element(std::string_view name) {
    return std::ranges::find(k_blocks, name) != k_blocks.end();
}

std::string safe_link(std::string_view value) {
    if (value.size() > k_link_bytes_max) return {};
    const std::string clean = without_controls(value);
    const std::size_t colon = clean.find(':');
    if (colon == std::string::npos) return {};
    const std::string scheme = lower_case(std::string_view(clean).substr(0, colon));
    const std::string_view rest = std::string_view(clean).substr(colon + 1);
    const bool web = (scheme == "http" || scheme == "https") && is_plain_authority(rest);
    const bool mail = scheme == "mailto" && !rest.empty() && !rest.starts_with('/');
    if (!web && !mail) return {};
    std::string out = scheme + ":";
    for (const char c : rest) {
        if (c == ' ') {
            out += "%20";
        } else if (c == '\\') {
            out += "%5C";
        } else {
            out.push_back(c);
        }
    }
    return out.size() > k_link_bytes_max ? std::string{} : out;
}

std::string content_id_of(std::string_view address) {
    if (address.size() > 3 * k_content_id_bytes_max) return {};
    const std::string clean = without_controls(address);
    if (!starts_with_ignoring_case(clean, "cid:")) return {};
    std::string id = percent_decoded_id(std::string_view(clean).substr(4));
    const bool plain = std::ranges::all_of(id, [](char c) {
        return is_alpha(c) || is_digit(c) || std::string_view("@._+-=$!#&*~/").contains(c);
    });
    return plain && id.size() <= k_content_id_bytes_max ? id : std::string{};
}

bool is_remote(std::string_view address) {
    const std::string clean = without_controls(address.substr(0, k_link_bytes_max));
    return !clean.empty() && !starts_with_ignoring_case(clean, "data:") &&
           !starts_with_ignoring_case(clean, "cid:");
}

}  // namespace postern::reader
