#include "foundation/codec/mail/address.h"

#include "foundation/base/result.h"
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

constexpr std::size_t k_local_part_bytes_max = 64;
constexpr std::size_t k_label_bytes_max = 63;
constexpr std::string_view k_specials = "()<>[]:;@\\,\"";

bool is_atom_char(char c) {
    return !is_blank(c) && !is_control(c) && k_specials.find(c) == std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
    const auto fits = [](char c) { return is_atom_char(c); };
    return !text.empty() && !text.starts_with('.') && !text.ends_with('.') &&
           text.find("..") == std::string_view::npos && std::ranges::all_of(text, fits);
}

bool is_label(std::string_view label) {
    const auto fits = [](char c) {
        const char small = to_lower(c);
        return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               static_cast<unsigned char>(c) >= 0x80;
    };
    return !label.empty() && label.size() <= k_label_bytes_max && !label.starts_with('-') &&
           !label.ends_with('-') && std::ranges::all_of(label, fits);
}

bool is_domain_literal(std::string_view text) {
    const auto fits = [](char c) { return is_atom_char(c) || c == ':'; };
    return text.size() > 2 && text.starts_with('[') && text.ends_with(']') &&
           std::ranges::all_of(text.substr(1, text.size() - 2), fits);
}

/// Without its quotes and backslashes.
std::string unquoted(std::string_view quoted) {
    std::string out;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if (quoted[i] == '"') continue;
        if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
        out += quoted[i];
    }
    return out;
}

bool is_whole_quoted_string(std::string_view text) {
    if (text.size() < 3 || text.front() != '"') return false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (is_control(text[i])) return false;
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1 == text.size();
        }
    }
    return false;
}

/// Blanks may stand around dots and the "@" in the obsolete form; inside quotes they belong to it.
std::string without_outer_blanks(std::string_view text) {
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!quoted && is_blank(text[i])) continue;
        if (text[i] == '"') quoted = !quoted;
        out += text[i];
        if (text[i] == '\\' && i + 1 < text.size()) out += text[++i];
    }
    return out;
}

/// The address in its one form, or nothing.
std::optional<std::string> read_address(std::string_view raw) {
    if (raw.size() > 4 * k_address_bytes_max) return std::nullopt;
    const std::string text = without_outer_blanks(raw);
    std::string_view rest = text;
    // An obsolete source route: "@a.example,@b.example:".
    if (rest.starts_with('@')) rest.remove_prefix(std::min(rest.find(':'), rest.size() - 1) + 1);
    const auto at = rest.rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    std::string local(rest.substr(0, at));
    auto domain = rest.substr(at + 1);
    if (domain.ends_with('.')) domain.remove_suffix(1);
    if (is_whole_quoted_string(local)) {
        const std::string bare = unquoted(local);
        if (is_dot_atom(bare)) local = bare;
    } else if (!is_dot_atom(local)) {
        return std::nullopt;
    }
    if (!is_domain(domain) && !is_domain_literal(domain)) return std::nullopt;
    if (local.size() + 1 + domain.size() > k_address_bytes_max) return std::nullopt;
    return local + "@" + lower(domain);
}

/// Walks over a list once; flush() makes an entry of what stands between two separators.
class ListParser {
public:
    ListParser(std::string_view value, std::size_t addresses_max)
        : rest_(value), addresses_max_(addresses_max) {}

    std::vector<ListedAddress> parse() {
        while (!rest_.empty() && !full_)
            step();
        flush();
        return std::move(found_);
    }

private:
    void step() {
        const char c = rest_.front();
        if (c == '"') return take_quoted();
        if (c == '(') return take_comment();
        rest_.remove_prefix(1);
        if (c == '<') return open_angle();
        if (c == '>' && in_angle_) {
            in_angle_ = false;
            return;
        }
        const bool separates = c == ',' || c == ';';
        if (separates && !in_angle_) return flush();
        if (c == ':' && !in_angle_) {
            // The name of a group; or somebody who is made to look like one.
            if (has_angle_) flush();
            text_.clear();
            comment_.clear();
            return;
        }
        put(c);
    }

    void open_angle() {
        // A second address without a comma, or one inside the other: none may hide the other.
        if (has_angle_) flush();
        has_angle_ = true;
        in_angle_ = true;
    }

    void put(char c) {
        if (in_angle_) {
            angle_ += c;
        } else if (has_angle_) {
            after_ += c;
        } else {
            text_ += c;
        }
    }

    void take_quoted() {
        put('"');
        std::size_t i = 1;
        for (; i < rest_.size() && rest_[i] != '"'; ++i) {
            if (rest_[i] == '\\' && i + 1 < rest_.size()) put(rest_[i++]);
            put(rest_[i]);
        }
        if (i < rest_.size()) put('"');
        rest_.remove_prefix(std::min(i + 1, rest_.size()));
    }

    void take_comment() {
        std::size_t depth = 0;
        std::string said;
        std::size_t i = 0;
        for (; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (c == '\\' && i + 1 < rest_.size()) {
                said += rest_[++i];
                continue;
            }
            if (c == '(' && depth++ == 0) continue;
            if (c == ')' && --depth == 0) break;
            said += c;
        }
        if (i == rest_.size()) {
            // It swallowed the rest of the list, and whoever stands there.
            unreadable_ = true;
        }
        rest_.remove_prefix(std::min(i + 1, rest_.size()));
        comment_ = std::move(said);
    }

    void flush() {
        const auto text = trim(text_);
        if (has_angle_) {
            add(text, in_angle_ ? std::nullopt : read_address(angle_));
            if (after_.find('@') != std::string::npos) add({}, read_address(after_));
        } else if (!text.empty()) {
            add(comment_, read_address(text));
        }
        if (unreadable_) add({}, std::nullopt);
        text_.clear();
        angle_.clear();
        after_.clear();
        comment_.clear();
        has_angle_ = in_angle_ = unreadable_ = false;
    }

    void add(std::string_view name, std::optional<std::string> address) {
        if (full_) return;
        if (found_.size() == addresses_max_) {
            found_.emplace_back();
            full_ = true;
            return;
        }
        found_.push_back({clean_text(decode_words(unquoted(name)), k_display_name_bytes_max),
                          std::move(address).value_or(std::string())});
    }

    std::string_view rest_;
    std::size_t addresses_max_;
    std::vector<ListedAddress> found_;
    bool full_ = false;
    std::string text_;     ///< a name, or an address that stands alone
    std::string angle_;    ///< between < and >
    std::string after_;    ///< behind >
    std::string comment_;  ///< "ada@example.com (Ada)"
    bool has_angle_ = false;
    bool in_angle_ = false;
    bool unreadable_ = false;
};

}  // namespace

bool is_domain(std::string_view text) noexcept {
    if (text.empty()) return false;
    while (true) {
        const auto dot = text.find('.');
        if (!is_label(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_same_address(std::string_view a, std::string_view b) noexcept {
    return equal_but_for_case(a, b);
}

Result<EmailAddress> EmailAddress::parse(std::string_view text) {
    const auto at = text.rfind('@');
    const bool good = text.size() <= k_address_bytes_max && at != std::string_view::npos &&
                      at <= k_local_part_bytes_max && is_dot_atom(text.substr(0, at)) &&
                      is_domain(text.substr(at + 1)) &&
                      clean_text(text, k_address_bytes_max) == text;
    if (!good) return fail(MailTextError::malformed_address);
    return EmailAddress(std::string(text.substr(0, at + 1)) + lower(text.substr(at + 1)), at);
}

std::vector<ListedAddress> parse_address_list(std::string_view value, std::size_t addresses_max) {
    if (value.size() > k_address_field_bytes_max) return {ListedAddress{}};
    return ListParser(value, addresses_max).parse();
}

}  // namespace postern::codec
