#include "features/mail/reader/message_id.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_id_bytes_max = 998;

void add_id(std::vector<std::string>& ids, std::string_view token) {
    std::string id(token);
    std::erase_if(id, [](char c) { return is_space(c) || c == '<' || c == '>'; });
    const bool printable = std::ranges::all_of(id, [](char c) {
        return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) != 127;
    });
    if (id.empty() || id.size() > k_id_bytes_max || !printable || !is_valid_utf8(id)) return;
    ids.push_back(std::move(id));
}

// "abc@example.com" without brackets; words such as "Your message of" are no ids.
void add_bare_ids(std::vector<std::string>& ids, std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \t,;"), text.size());
        const std::string_view token = text.substr(0, end);
        if (token.contains('@')) add_id(ids, token);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace

std::vector<std::string> parse_message_ids(std::string_view raw) {
    std::string text = unfolded(raw);
    Defects ignored;
    if (text.contains("=?")) text = decode_header_text(text, ignored);
    text = without_comments(text);
    std::vector<std::string> ids;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t open = std::min(rest.find('<'), rest.size());
        add_bare_ids(ids, rest.substr(0, open));
        rest.remove_prefix(open);
        if (rest.empty()) break;
        const std::size_t close = rest.find_first_of("<>", 1);
        if (close == std::string_view::npos) {
            add_bare_ids(ids, rest.substr(1));
            break;
        }
        add_id(ids, rest.substr(1, close - 1));
        rest.remove_prefix(rest[close] == '>' ? close + 1 : close);
    }
    return ids;
}

bool cut_message_ids(std::vector<std::string>& ids, std::size_t max) {
    if (ids.size() <= max) return false;
    const auto head = static_cast<std::ptrdiff_t>(max / 2);
    const auto tail = static_cast<std::ptrdiff_t>(max - max / 2);
    ids.erase(ids.begin() + head, ids.end() - tail);
    return true;
}

}  // namespace postern::reader
