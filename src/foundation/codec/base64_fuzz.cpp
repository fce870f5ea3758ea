// Oracle: what is read is printed as the very text that was read; a decoder that only counts bits
// reads it as the same.
#include "foundation/codec/base64.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/base32.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

postern::Bytes by_bits(std::string_view text, std::string_view alphabet) {
    postern::Bytes out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) break;
        bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFU;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
    return out;
}

std::string in_capitals(std::string_view text) {
    std::string out(text);
    for (auto& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

constexpr std::string_view k_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const FuzzInput input(data, size);
    const auto text = input.text();
    if (const auto bytes = codec::parse_hex(text)) POSTERN_CHECK(codec::hex(*bytes) == text);
    if (const auto bytes = codec::parse_base64url(text))
        POSTERN_CHECK(codec::base64url(*bytes) == text);
    if (const auto bytes = codec::parse_base64(text)) {
        POSTERN_CHECK(codec::base64(*bytes) == text);
        POSTERN_CHECK(by_bits(text, k_letters) == *bytes);
    }
    if (const auto bytes = codec::parse_base32(text)) {
        POSTERN_CHECK(codec::base32(*bytes) == in_capitals(text));
    }
    POSTERN_CHECK(codec::parse_base32(codec::base32(input.bytes())) == to_bytes(input.bytes()));
    POSTERN_CHECK(codec::parse_hex(codec::hex(input.bytes())) == to_bytes(input.bytes()));
    POSTERN_CHECK(codec::parse_base64(codec::base64(input.bytes())) == to_bytes(input.bytes()));
    POSTERN_CHECK(codec::parse_base64url(codec::base64url(input.bytes())) ==
                  to_bytes(input.bytes()));
    return 0;
}
