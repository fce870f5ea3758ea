#include "features/identity/recovery_codes.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base32.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {
namespace {

constexpr std::size_t k_recovery_bytes = 15;
constexpr std::size_t k_recovery_characters = 24;
constexpr std::size_t k_recovery_group = 6;

}  // namespace

std::optional<crypto::Hash> recovery_hash(std::string_view code) {
    if (code.size() != k_recovery_characters) return std::nullopt;
    auto bytes = codec::parse_base32(code);
    if (!bytes) return std::nullopt;
    const auto hash = crypto::sha256(*bytes);
    wipe(bytes->data(), bytes->size());
    return hash;
}

RecoveryCodes make_recovery_codes() {
    RecoveryCodes out;
    for (std::size_t i = 0; i < k_recovery_codes; ++i) {
        const auto random = crypto::random_secret(k_recovery_bytes);
        auto plain = random.with_bytes([](ByteView bytes) { return codec::base32(bytes); });
        out.hashes.push_back(
            random.with_bytes([](ByteView bytes) { return crypto::sha256(bytes); }));
        std::string text;
        text.reserve(plain.size() + plain.size() / k_recovery_group);
        for (std::size_t at = 0; at < plain.size(); ++at) {
            if (at != 0 && at % k_recovery_group == 0) text += '-';
            text += plain[at];
        }
        wipe(plain.data(), plain.size());
        out.texts.push_back(Secret::take(text));
    }
    return out;
}

}  // namespace postern::identity
