#include "foundation/codec/smtp/extensions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::smtp {

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

/// Takes a word off the front; "AUTH=LOGIN" (an old form) counts as two.
std::string take_word(std::string_view& text) {
    const std::size_t start = std::min(text.find_first_not_of(" =\t"), text.size());
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(" =\t"), text.size());
    const std::string word = upper(text.substr(0, end));
    text.remove_prefix(end);
    return word;
}

void add_mechanisms(Extensions& out, std::string_view words) {
    while (!words.empty()) {
        const std::string word = take_word(words);
        if (word == "PLAIN") out.auth_plain = true;
        if (word == "LOGIN") out.auth_login = true;
        if (word == "XOAUTH2" || word == "OAUTHBEARER") out.auth_oauth = true;
    }
}

void add_size(Extensions& out, std::string_view words) {
    const std::string digits = take_word(words);
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    out.size = true;
    // A limit that cannot be read is none: the server will refuse by itself.
    out.size_max = read.ec == std::errc() ? value : 0;
}

constexpr std::array<std::pair<std::string_view, bool Extensions::*>, 4> k_flags{{
    {"STARTTLS", &Extensions::start_tls},
    {"8BITMIME", &Extensions::eight_bit_mime},
    {"SMTPUTF8", &Extensions::smtp_utf8},
    {"ENHANCEDSTATUSCODES", &Extensions::enhanced_status_codes},
}};

}  // namespace

Extensions Extensions::parse(const std::vector<std::string>& lines) {
    Extensions out;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        std::string_view left = lines[i];
        const std::string keyword = take_word(left);
        for (const auto& [name, flag] : k_flags) {
            if (keyword == name) out.*flag = true;
        }
        if (keyword == "AUTH") add_mechanisms(out, left);
        if (keyword == "SIZE") add_size(out, left);
    }
    return out;
}

}  // namespace postern::smtp
