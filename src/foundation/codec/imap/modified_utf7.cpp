#include "foundation/codec/imap/modified_utf7.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

namespace {

constexpr std::string_view k_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr bool is_direct(char c) {
    return c >= 0x20 && c <= 0x7e;
}

std::size_t utf8_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

constexpr bool is_surrogate(char32_t point) {
    return point >= 0xd800 && point <= 0xdfff;
}

/// Takes one character off the front; refuses overlong forms and surrogates.
std::optional<char32_t> take_utf8(std::string_view& in) {
    constexpr char32_t k_smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(in.front());
    const std::size_t length = utf8_length(lead);
    if (length == 0 || in.size() < length) return std::nullopt;
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto c = static_cast<unsigned char>(in[i]);
        if ((c & 0xc0u) != 0x80u) return std::nullopt;
        point = point << 6 | (c & 0x3fu);
    }
    if (point < k_smallest[length] || point > 0x10ffff || is_surrogate(point)) return std::nullopt;
    in.remove_prefix(length);
    return point;
}

void append_utf8(std::string& out, char32_t point) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

/// UTF-16 units to modified base64, without padding.
class ShiftedWriter {
public:
    explicit ShiftedWriter(std::string& out) : out_(out) { out_ += '&'; }

    void put(char32_t point) {
        if (point < 0x10000) return put_unit(static_cast<std::uint32_t>(point));
        point -= 0x10000;
        put_unit(0xd800 | static_cast<std::uint32_t>(point >> 10));
        put_unit(0xdc00 | static_cast<std::uint32_t>(point & 0x3ff));
    }
    void finish() {
        if (bits_ > 0) out_ += k_alphabet[pending_ << (6 - bits_) & 0x3f];
        out_ += '-';
    }

private:
    void put_unit(std::uint32_t unit) {
        pending_ = pending_ << 16 | unit;
        bits_ += 16;
        while (bits_ >= 6) {
            bits_ -= 6;
            out_ += k_alphabet[pending_ >> bits_ & 0x3f];
        }
        pending_ &= (1u << bits_) - 1;
    }

    std::string& out_;
    std::uint32_t pending_ = 0;
    unsigned bits_ = 0;
};

/// The text between '&' and '-' to UTF-8.
bool append_shifted(std::string& out, std::string_view base64) {
    std::uint32_t pending = 0;
    unsigned bits = 0;
    char32_t high = 0;
    for (const char c : base64) {
        const std::size_t digit = k_alphabet.find(c);
        if (digit == std::string_view::npos) return false;
        pending = (pending << 6 | static_cast<std::uint32_t>(digit)) & 0x3fffffu;
        bits += 6;
        if (bits < 16) continue;
        bits -= 16;
        const char32_t unit = pending >> bits & 0xffffu;
        const bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
        if (is_low != (high != 0)) return false;
        if (is_low) {
            append_utf8(out, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ff)));
            high = 0;
        } else if (is_surrogate(unit)) {
            high = unit;
        } else {
            append_utf8(out, unit);
        }
    }
    return high == 0 && bits < 6 && (pending & ((1u << bits) - 1)) == 0;
}

}  // namespace

std::optional<std::string> to_modified_utf7(std::string_view utf8) {
    std::string out;
    while (!utf8.empty()) {
        if (is_direct(utf8.front())) {
            out += utf8.front();
            if (utf8.front() == '&') out += '-';
            utf8.remove_prefix(1);
            continue;
        }
        ShiftedWriter shifted(out);
        while (!utf8.empty() && !is_direct(utf8.front())) {
            const auto point = take_utf8(utf8);
            if (!point) return std::nullopt;
            shifted.put(*point);
        }
        shifted.finish();
    }
    return out;
}

std::optional<std::string> from_modified_utf7(std::string_view wire) {
    const std::string_view whole = wire;
    std::string out;
    while (!wire.empty()) {
        const char c = wire.front();
        wire.remove_prefix(1);
        if (!is_direct(c)) return std::nullopt;
        if (c != '&') {
            out += c;
            continue;
        }
        const std::size_t end = wire.find('-');
        if (end == std::string_view::npos) return std::nullopt;
        if (end == 0) {
            out += '&';
        } else if (!append_shifted(out, wire.substr(0, end))) {
            return std::nullopt;
        }
        wire.remove_prefix(end + 1);
    }
    // Shifted ASCII and two shifted runs in a row would give a folder a second name.
    if (to_modified_utf7(out) != whole) return std::nullopt;
    return out;
}

}  // namespace postern::imap
