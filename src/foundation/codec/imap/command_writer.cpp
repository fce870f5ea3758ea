#include "foundation/codec/imap/command_writer.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/sasl.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace postern::imap {

CommandWriter::CommandWriter(std::string_view tag) {
    pieces_.emplace_back();
    text(tag).text(" ");
}

CommandWriter& CommandWriter::text(std::string_view text) {
    pieces_.back().append(text);
    return *this;
}

CommandWriter& CommandWriter::string(ByteView value, bool non_sync_allowed) {
    const bool quotable =
        std::ranges::all_of(value, [](std::uint8_t c) { return c >= 0x20 && c < 0x7f; });
    if (!quotable) {
        // LITERAL- allows non-synchronising literals of up to 4,096 bytes (RFC 7888 section 5).
        text("{" + std::to_string(value.size()) + (non_sync_allowed ? "+}\r\n" : "}\r\n"));
        if (!non_sync_allowed) wait_for_continuation();
        return text(as_text(value));
    }
    text("\"");
    for (const std::uint8_t c : value) {
        if (c == '"' || c == '\\') pieces_.back().push_back('\\');
        pieces_.back().push_back(c);
    }
    return text("\"");
}

CommandWriter& CommandWriter::sasl_plain(std::string_view user, const Secret& password) {
    append_sasl_plain(pieces_.back(), user, password);
    return *this;
}

CommandWriter& CommandWriter::wait_for_continuation() {
    pieces_.emplace_back();
    return *this;
}

std::deque<WipedBytes> CommandWriter::finish() {
    text("\r\n");
    return std::move(pieces_);
}

bool is_sendable(ByteView value) {
    constexpr std::size_t k_bytes_max = 4000;
    return value.size() <= k_bytes_max && std::ranges::none_of(value, [](std::uint8_t c) {
               return c == '\r' || c == '\n' || c == '\0';
           });
}

}  // namespace postern::imap
