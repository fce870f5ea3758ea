#include "features/identity/bearer.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

constexpr std::size_t k_random_bytes = 32;
constexpr std::size_t k_random_characters = 43;
constexpr std::size_t k_checksum_characters = 6;

/// Of ISO 3309, as zlib and PNG have it.
std::uint32_t crc32(std::string_view text) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~crc;
}

std::string checksum_of(std::string_view text) {
    constexpr std::string_view k_alphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    auto number = crc32(text);
    std::string out(k_checksum_characters, '0');
    for (auto at = out.size(); at-- > 0; number /= k_alphabet.size())
        out[at] = k_alphabet[number % k_alphabet.size()];
    return out;
}

bool has_checksum(std::string_view prefix) {
    return prefix == k_api_token_prefix;
}

}  // namespace

Bearer make_bearer(std::string_view prefix) {
    const auto random = crypto::random_secret(k_random_bytes);
    auto encoded = random.with_bytes([](ByteView bytes) { return codec::base64url(bytes); });
    std::string text;
    text.reserve(prefix.size() + k_random_characters + k_checksum_characters);
    text += prefix;
    text += encoded;
    wipe(encoded.data(), encoded.size());
    if (has_checksum(prefix)) text += checksum_of(text);
    Bearer bearer;
    bearer.hash = crypto::sha256(as_bytes(text));
    bearer.text = Secret::take(text);
    return bearer;
}

std::optional<crypto::Hash> hash_of_bearer(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    const auto length = prefix.size() + k_random_characters;
    const bool is_checked = has_checksum(prefix) && text.size() == length + k_checksum_characters;
    if (!is_checked && text.size() != length) return std::nullopt;
    const auto random = text.substr(0, length);
    if (is_checked && checksum_of(random) != text.substr(length)) return std::nullopt;
    auto decoded = codec::parse_base64url(random.substr(prefix.size()));
    if (!decoded) return std::nullopt;
    wipe(decoded->data(), decoded->size());
    return crypto::sha256(as_bytes(text));
}

std::uint64_t handle_of(const crypto::Hash& hash) {
    std::uint64_t handle = 0;
    std::memcpy(&handle, hash.data(), sizeof handle);
    return handle;
}

}  // namespace postern::identity
