#include "foundation/crypto/secret_sharing.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/random.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace postern::crypto {
namespace {

constexpr unsigned k_reduction = 0x1b;

/// No table and no branch on what is multiplied: neither time nor cache tells a secret.
std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
    unsigned product = 0;
    unsigned left = a;
    for (unsigned bit = 0; bit < 8; ++bit) {
        product ^= left & (0U - (unsigned{b} >> bit & 1U));
        left = (left << 1U) ^ (k_reduction & (0U - (left >> 7U & 1U)));
        left &= 0xffU;
    }
    return static_cast<std::uint8_t>(product);
}

/// a^254, which is 1/a; 0 for 0.
std::uint8_t inverse(std::uint8_t a) {
    std::uint8_t power = a;
    std::uint8_t result = 1;
    // 254 = 2 + 4 + ... + 128.
    for (int i = 0; i < 7; ++i) {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    return result;
}

/// What the share at `at` is multiplied by: the product over the others of x / (x - x_at), minus
/// being plus here. Numbers are no secret.
std::uint8_t weight(const std::vector<SecretShare>& shares, std::size_t at) {
    std::uint8_t product = 1;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (i == at) continue;
        const auto other = shares[i].number;
        const auto distance = static_cast<std::uint8_t>(other ^ shares[at].number);
        product = multiply(product, multiply(other, inverse(distance)));
    }
    return product;
}

bool fit_together(const std::vector<SecretShare>& shares) {
    std::array<bool, 256> seen{};
    for (const auto& share : shares) {
        if (share.number == 0 || seen[share.number]) return false;
        if (share.bytes.size() != shares.front().bytes.size()) return false;
        seen[share.number] = true;
    }
    return !shares.empty();
}

/// out = out * x + add, byte by byte.
void step(std::span<std::uint8_t> out, std::uint8_t x, ByteView add) {
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::uint8_t>(multiply(out[i], x) ^ add[i]);
}

}  // namespace

bool is_sound(const SharingScheme& scheme) {
    return scheme.shares >= scheme.threshold && scheme.threshold >= 1 &&
           (scheme.threshold > 1 || scheme.shares == 1);
}

std::vector<SecretShare> split_secret(const Secret& secret, const SharingScheme& scheme) {
    POSTERN_CHECK(is_sound(scheme));
    // The polynomial's coefficients above the secret, highest first.
    std::vector<Secret> coefficients;
    for (unsigned i = 1; i < scheme.threshold; ++i)
        coefficients.push_back(random_secret(secret.size()));
    std::vector<SecretShare> shares;
    for (unsigned number = 1; number <= scheme.shares; ++number) {
        const auto x = static_cast<std::uint8_t>(number);
        SecretShare share{x, Secret::of_size(secret.size())};
        share.bytes.with_mutable_bytes([&](std::span<std::uint8_t> out) {
            const auto add = [&](ByteView bytes) { step(out, x, bytes); };
            for (const auto& coefficient : coefficients)
                coefficient.with_bytes(add);
            secret.with_bytes(add);
        });
        shares.push_back(std::move(share));
    }
    return shares;
}

Result<Secret> join_secret(const std::vector<SecretShare>& shares) {
    if (!fit_together(shares)) return fail(CryptoError::cannot_open);
    auto secret = Secret::of_size(shares.front().bytes.size());
    secret.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        for (std::size_t at = 0; at < shares.size(); ++at) {
            const auto factor = weight(shares, at);
            shares[at].bytes.with_bytes([&](ByteView bytes) {
                for (std::size_t i = 0; i < out.size(); ++i)
                    out[i] = static_cast<std::uint8_t>(out[i] ^ multiply(bytes[i], factor));
            });
        }
    });
    return secret;
}

}  // namespace postern::crypto
