#include "foundation/crypto/password.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/random.h"

#include <sodium.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postern::crypto {
namespace {

/// libsodium wants a pointer also where there are no bytes.
const char* text_of(ByteView bytes) {
    return bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data());
}

}  // namespace

Result<Secret> stretch(const Secret& secret, ByteView salt, Argon2Cost cost) {
    POSTERN_CHECK(salt.size() == k_argon2_salt_bytes);
    auto out = Secret::of_size(k_key_bytes);
    const int failed = secret.with_bytes([&](ByteView bytes) {
        return out.with_mutable_bytes([&](std::span<std::uint8_t> key) {
            return crypto_pwhash(key.data(), key.size(), text_of(bytes), bytes.size(), salt.data(),
                                 cost.passes, std::size_t{cost.memory_kib} * 1024,
                                 crypto_pwhash_ALG_ARGON2ID13);
        });
    });
    if (failed != 0) return fail(CryptoError::out_of_memory);
    return out;
}

Result<std::string> hash_password(const Secret& password, Argon2Cost cost) {
    std::array<char, crypto_pwhash_STRBYTES> text{};
    const int failed = password.with_bytes([&](ByteView bytes) {
        return crypto_pwhash_str(text.data(), text_of(bytes), bytes.size(), cost.passes,
                                 std::size_t{cost.memory_kib} * 1024);
    });
    if (failed != 0) return fail(CryptoError::out_of_memory);
    return std::string(text.data());
}

bool verify_password(std::string_view hash, const Secret& password) {
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (hash.size() >= text.size()) return false;
    std::copy(hash.begin(), hash.end(), text.begin());
    return password.with_bytes([&](ByteView bytes) {
        return crypto_pwhash_str_verify(text.data(), text_of(bytes), bytes.size()) == 0;
    });
}

}  // namespace postern::crypto
