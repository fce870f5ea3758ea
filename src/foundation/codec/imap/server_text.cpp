#include "foundation/codec/imap/server_text.h"

#include "foundation/codec/imap/limits.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::imap {

namespace {

void append_word(std::string& out, std::string_view word) {
    if (word.find('@') != std::string_view::npos) {
        out += "[address]";
        return;
    }
    for (const char c : word) {
        out += c > 0x20 && c < 0x7f ? c : '?';
    }
}

}  // namespace

std::string server_text(std::string_view hostile) {
    // Looking at more than is kept: an address cut in half would no longer be recognised.
    hostile = hostile.substr(0, 4 * k_server_text_bytes_max);
    std::string out;
    while (!hostile.empty() && out.size() < k_server_text_bytes_max) {
        const std::size_t end = std::min(hostile.find(' '), hostile.size());
        append_word(out, hostile.substr(0, end));
        if (end == hostile.size()) break;
        out += ' ';
        hostile.remove_prefix(end + 1);
    }
    if (out.size() > k_server_text_bytes_max) out.resize(k_server_text_bytes_max);
    return out;
}

}  // namespace postern::imap
