// Oracle: quoted-printable and base64 made here by the letter of RFC 2045 come back; of any input
// no more comes out than went in, and no more than is allowed; a smaller room gives the beginning.
#include "features/mail/reader/transfer_encoding.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

std::string quoted_printable(postern::ByteView bytes) {
    constexpr const char* k_digits = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    for (const auto byte : bytes) {
        if (column > 70) out += "=\r\n";
        column = column > 70 ? 3 : column + 3;
        out.append("=").append(1, k_digits[byte >> 4U]).append(1, k_digits[byte & 15U]);
    }
    return out;
}

std::string base64(postern::ByteView bytes) {
    constexpr const char* k_letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8U | (i + k < bytes.size() ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : k_letters[group >> (18 - 6 * k) & 63U];
        if (i % 57 == 54) out += "\r\n";
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    postern::FuzzInput input(data, size);
    const std::size_t room = input.byte();
    const auto given = postern::to_bytes(input.bytes());
    (void)parse_transfer_encoding(input.text());
    for (const auto encoding : {TransferEncoding::base64, TransferEncoding::quoted_printable,
                                TransferEncoding::identity, TransferEncoding::unknown}) {
        const auto all = decode_body(input.text(), encoding, size).bytes;
        const auto cut = decode_body(input.text(), encoding, room).bytes;
        POSTERN_CHECK(all.size() <= given.size() && cut.size() <= room);
        // A cut in front of a line end cannot know yet that the blanks there go.
        if (encoding == TransferEncoding::quoted_printable) continue;
        POSTERN_CHECK(cut.size() == std::min(room, all.size()));
        POSTERN_CHECK(std::equal(cut.begin(), cut.end(), all.begin()));
    }
    const auto quoted =
        decode_body(quoted_printable(given), TransferEncoding::quoted_printable, given.size());
    POSTERN_CHECK(quoted.bytes == given && !quoted.broken);
    const auto letters = decode_body(base64(given), TransferEncoding::base64, given.size());
    POSTERN_CHECK(letters.bytes == given && !letters.broken);
    return 0;
}
