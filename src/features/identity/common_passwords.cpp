#include "features/identity/common_passwords.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace postern::identity {
namespace {

std::uint64_t take_prefix(crypto::Hash hash) {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < sizeof prefix; ++i)
        prefix = prefix << 8 | hash[i];
    wipe(hash.data(), hash.size());
    return prefix;
}

}  // namespace

bool is_common_password(const Secret& password) {
    auto lower = password.with_bytes(Secret::copy_of);
    lower.with_mutable_bytes([](std::span<std::uint8_t> bytes) {
        for (auto& byte : bytes) {
            if (byte >= 'A' && byte <= 'Z') byte = static_cast<std::uint8_t>(byte + ('a' - 'A'));
        }
    });
    const auto prefix =
        lower.with_bytes([](ByteView bytes) { return take_prefix(crypto::sha256(bytes)); });
    const auto all = common_password_prefixes();
    return std::binary_search(all.begin(), all.end(), prefix);
}

}  // namespace postern::identity
