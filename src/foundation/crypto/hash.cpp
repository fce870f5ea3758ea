#include "foundation/crypto/hash.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/secret.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::crypto {
namespace {

/// libsodium wants a pointer also where there are no bytes.
const std::uint8_t* start_of(ByteView bytes) {
    static constexpr std::uint8_t k_nothing = 0;
    return bytes.empty() ? &k_nothing : bytes.data();
}

/// HKDF with both steps of RFC 5869, section 2: extract, then one block of expand.
Secret hkdf(ByteView input, std::string_view info, ByteView salt) {
    auto pseudo_random = Secret::of_size(crypto_auth_hmacsha256_BYTES);
    pseudo_random.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, start_of(salt), salt.size());
        crypto_auth_hmacsha256_update(&state, input.data(), input.size());
        crypto_auth_hmacsha256_final(&state, out.data());
        sodium_memzero(&state, sizeof state);
    });
    auto key = Secret::of_size(crypto_auth_hmacsha256_BYTES);
    key.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        pseudo_random.with_bytes([&](ByteView prk) {
            constexpr std::uint8_t k_first_block = 1;
            crypto_auth_hmacsha256_state state;
            crypto_auth_hmacsha256_init(&state, prk.data(), prk.size());
            const auto name = as_bytes(info);
            crypto_auth_hmacsha256_update(&state, name.data(), name.size());
            crypto_auth_hmacsha256_update(&state, &k_first_block, 1);
            crypto_auth_hmacsha256_final(&state, out.data());
            sodium_memzero(&state, sizeof state);
        });
    });
    return key;
}

}  // namespace

Hash sha256(ByteView data) {
    Hash hash{};
    unsigned size = 0;
    POSTERN_CHECK(EVP_Digest(data.data(), data.size(), hash.data(), &size, EVP_sha256(), nullptr) ==
                  1);
    return hash;
}

Hash hmac(const Secret& key, ByteView data) {
    Hash hash{};
    key.with_bytes([&](ByteView bytes) {
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, start_of(bytes), bytes.size());
        crypto_auth_hmacsha256_update(&state, data.data(), data.size());
        crypto_auth_hmacsha256_final(&state, hash.data());
        sodium_memzero(&state, sizeof state);
    });
    return hash;
}

Secret derive_key(const Secret& secret, std::string_view info, ByteView salt) {
    return secret.with_bytes([&](ByteView bytes) { return hkdf(bytes, info, salt); });
}

Secret derive_key(const Secret& first, const Secret& second, std::string_view info, ByteView salt) {
    auto joined = Secret::of_size(8 + first.size() + second.size());
    joined.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        for (std::size_t i = 0; i < 8; ++i) {
            out[i] = static_cast<std::uint8_t>(first.size() >> (8 * i));
        }
        first.with_bytes([&](ByteView bytes) { std::copy(bytes.begin(), bytes.end(), &out[8]); });
        second.with_bytes([&](ByteView bytes) {
            std::copy(bytes.begin(), bytes.end(), out.begin() + 8 + first.size());
        });
    });
    return derive_key(joined, info, salt);
}

bool equal_in_constant_time(ByteView a, ByteView b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace postern::crypto
