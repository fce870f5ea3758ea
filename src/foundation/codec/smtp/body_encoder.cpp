#include "foundation/codec/smtp/body_encoder.h"

#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace postern::smtp {

void BodyEncoder::encode(ByteView bytes, WipedBytes& out) {
    std::string_view left = as_text(bytes);
    out.reserve(out.size() + left.size());
    while (!left.empty()) {
        const char c = left.front();
        if (c == '\r' || c == '\n') {
            // The LF of a CRLF: the CR has already written the whole line end.
            if (c == '\r' || !after_cr_) out.append("\r\n");
            after_cr_ = c == '\r';
            at_line_start_ = true;
            left.remove_prefix(1);
            continue;
        }
        if (at_line_start_ && c == '.') out.push_back('.');
        const std::size_t end = std::min(left.find_first_of("\r\n"), left.size());
        out.append(left.substr(0, end));
        left.remove_prefix(end);
        at_line_start_ = false;
        after_cr_ = false;
    }
}

void BodyEncoder::finish(WipedBytes& out) {
    if (!at_line_start_) out.append("\r\n");
    *this = BodyEncoder();
}

}  // namespace postern::smtp
