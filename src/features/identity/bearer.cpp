#include "features/identity/bearer.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

constexpr std::size_t k_random_bytes = 32;
constexpr std::size_t k_random_characters = 43;

}  // namespace

Bearer make_bearer(std::string_view prefix) {
    const auto random = crypto::random_secret(k_random_bytes);
    auto encoded = random.with_bytes([](ByteView bytes) { return codec::base64url(bytes); });
    std::string text;
    text.reserve(prefix.size() + k_random_characters);
    text += prefix;
    text += encoded;
    wipe(encoded.data(), encoded.size());
    Bearer bearer;
    bearer.hash = crypto::sha256(as_bytes(text));
    bearer.text = Secret::take(text);
    return bearer;
}

std::optional<crypto::Hash> hash_of_bearer(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    if (text.size() != prefix.size() + k_random_characters) return std::nullopt;
    auto decoded = codec::parse_base64url(text.substr(prefix.size()));
    if (!decoded) return std::nullopt;
    wipe(decoded->data(), decoded->size());
    return crypto::sha256(as_bytes(text));
}

}  // namespace postern::identity
