#include "features/mail/reader/transfer_encoding.h"

#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::reader {
namespace {

constexpr std::uint8_t k_not_base64 = 0xFF;

consteval std::array<std::uint8_t, 256> make_base64_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(k_not_base64);
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}
constexpr std::array<std::uint8_t, 256> k_base64_values = make_base64_values();

class Base64Reader {
public:
    explicit Base64Reader(DecodedBody& out) : out_(out) {}

    void take(char c) {
        if (c == '\n') padded_ = false;
        if (is_space(c)) return;
        if (c == '=') {
            flush();
            padded_ = true;  // junk behind the padding; another block may start on a new line
            return;
        }
        const std::uint8_t value = k_base64_values[static_cast<unsigned char>(c)];
        if (padded_ || value == k_not_base64) {
            out_.broken = true;
            return;
        }
        bits_ = (bits_ << 6U) | value;
        if (++count_ == 4) emit(3);
    }

    void flush() {
        if (count_ == 1) out_.broken = true;
        if (count_ < 2) {
            count_ = 0;
            return;
        }
        const unsigned have = count_ - 1;
        bits_ <<= 6U * (4 - count_);
        emit(have);
    }

private:
    void emit(unsigned bytes) {
        for (unsigned i = 0; i < bytes; ++i) {
            out_.bytes.push_back(static_cast<std::uint8_t>(bits_ >> (16U - 8U * i)));
        }
        bits_ = 0;
        count_ = 0;
    }

    DecodedBody& out_;
    std::uint32_t bits_ = 0;
    unsigned count_ = 0;
    bool padded_ = false;
};

DecodedBody decode_base64(std::string_view body, std::size_t bytes_max) {
    DecodedBody out;
    out.bytes.reserve(std::min(body.size() / 4 * 3 + 3, bytes_max + 3));
    Base64Reader reader(out);
    for (const char c : body) {
        reader.take(c);
        if (out.bytes.size() >= bytes_max) break;
    }
    reader.flush();
    out.bytes.resize(std::min(out.bytes.size(), bytes_max));
    return out;
}

// RFC 2045 section 6.7: white space at the end of a line was added in transport.
void drop_trailing_space(Bytes& bytes, std::size_t keep) {
    while (bytes.size() > keep && (bytes.back() == ' ' || bytes.back() == '\t'))
        bytes.pop_back();
}

DecodedBody decode_quoted_printable(std::string_view body, std::size_t bytes_max) {
    DecodedBody out;
    out.bytes.reserve(std::min(body.size(), bytes_max));
    std::size_t keep = 0;  // what a soft break or an escape produced is no trailing space
    for (std::size_t at = 0; at < body.size() && out.bytes.size() < bytes_max;) {
        const char c = body[at];
        if (c != '=') {
            const bool line_end =
                c == '\n' || (c == '\r' && at + 1 < body.size() && body[at + 1] == '\n');
            if (line_end) drop_trailing_space(out.bytes, keep);
            out.bytes.push_back(static_cast<std::uint8_t>(c));
            ++at;
            continue;
        }
        std::size_t end = at + 1;
        while (end < body.size() && (body[end] == ' ' || body[end] == '\t' || body[end] == '\r')) {
            ++end;
        }
        const int high = at + 2 < body.size() ? hex_value(body[at + 1]) : -1;
        const int low = at + 2 < body.size() ? hex_value(body[at + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out.bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
            at += 3;
        } else if (end == body.size() || body[end] == '\n') {
            at = std::min(end + 1, body.size());
        } else {
            out.broken = true;
            out.bytes.push_back('=');
            ++at;
        }
        keep = out.bytes.size();
    }
    return out;
}

}  // namespace

TransferEncoding parse_transfer_encoding(std::string_view value) {
    const std::string name = lower_case(trimmed(value.substr(0, value.find_first_of(";("))));
    if (name == "base64") return TransferEncoding::base64;
    if (name == "quoted-printable") return TransferEncoding::quoted_printable;
    if (name.empty() || name == "7bit" || name == "8bit" || name == "binary") {
        return TransferEncoding::identity;
    }
    return TransferEncoding::unknown;
}

DecodedBody decode_body(std::string_view body, TransferEncoding encoding, std::size_t bytes_max) {
    switch (encoding) {
        case TransferEncoding::base64: return decode_base64(body, bytes_max);
        case TransferEncoding::quoted_printable: return decode_quoted_printable(body, bytes_max);
        case TransferEncoding::identity:
        case TransferEncoding::unknown: break;
    }
    return {to_bytes(body.substr(0, bytes_max)), false};
}

}  // namespace postern::reader
