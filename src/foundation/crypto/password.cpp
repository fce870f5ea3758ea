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
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::crypto {
namespace {

/// libsodium wants a pointer also where there are no bytes.
const char* text_of(ByteView bytes) {
    return bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data());
}

bool take_text(std::string_view& from, std::string_view text) {
    if (!from.starts_with(text)) return false;
    from.remove_prefix(text.size());
    return true;
}

bool take_number(std::string_view& from, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), number);
    if (error != std::errc{}) return false;
    from.remove_prefix(static_cast<std::size_t>(end - from.data()));
    return true;
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

std::optional<Argon2Cost> cost_of_hash(std::string_view hash) {
    constexpr std::size_t k_hash_characters = 43;  // 32 bytes in base64 without padding
    constexpr std::size_t k_salt_characters = 22;  // 16 bytes
    Argon2Cost cost;
    if (!take_text(hash, "$argon2id$v=19$m=") || !take_number(hash, cost.memory_kib) ||
        !take_text(hash, ",t=") || !take_number(hash, cost.passes) || !take_text(hash, ",p=1$")) {
        return std::nullopt;
    }
    const auto is_base64 = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    };
    const auto salt = hash.substr(0, std::min(hash.size(), k_salt_characters));
    hash.remove_prefix(salt.size());
    if (salt.size() != k_salt_characters || !std::all_of(salt.begin(), salt.end(), is_base64) ||
        !take_text(hash, "$") || hash.size() != k_hash_characters ||
        !std::all_of(hash.begin(), hash.end(), is_base64)) {
        return std::nullopt;
    }
    return cost;
}

std::optional<Argon2Cost> raised_cost(Argon2Cost of_hash, Argon2Cost today) {
    if (of_hash.passes >= today.passes && of_hash.memory_kib >= today.memory_kib) {
        return std::nullopt;
    }
    return Argon2Cost{.passes = std::max(of_hash.passes, today.passes),
                      .memory_kib = std::max(of_hash.memory_kib, today.memory_kib)};
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
