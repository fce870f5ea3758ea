// Oracle: a receiver that undoes RFC 5321 section 4.5.2 gets the lines that went in, sees no end of
// the mail within it, and gets the same whatever the pieces were.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/smtp/body_encoder.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string encoded(postern::ByteView bytes, std::size_t step) {
    postern::smtp::BodyEncoder encoder;
    postern::WipedBytes out;
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(step, bytes.size()));
        encoder.encode(piece, out);
        bytes = bytes.subspan(piece.size());
    }
    encoder.finish(out);
    return std::string(postern::as_text({out.data(), out.size()}));
}

/// CR, LF and CRLF as one line end each, and one at the end.
std::string with_lines(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool ends = text[i] == '\r' || text[i] == '\n';
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
        out += ends ? std::string("\r\n") : std::string(1, text[i]);
    }
    if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    postern::FuzzInput input(data, size);
    const std::size_t step = input.byte() % 16 + 1;
    const auto wire = encoded(input.bytes(), size + 1);
    POSTERN_CHECK(wire == encoded(input.bytes(), step));
    std::string received;
    for (std::size_t at = 0; at < wire.size();) {
        const auto end = wire.find("\r\n", at);
        POSTERN_CHECK(end != std::string::npos);
        const auto line = std::string_view(wire).substr(at, end - at);
        POSTERN_CHECK(line != "." && line.find_first_of("\r\n") == std::string_view::npos);
        received.append(line.starts_with('.') ? line.substr(1) : line).append("\r\n");
        at = end + 2;
    }
    POSTERN_CHECK(received == with_lines(input.text()));
    return 0;
}
