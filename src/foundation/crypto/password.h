#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::crypto {

/// Cost of Argon2id (RFC 9106), stored beside every hash so that it can be raised later. One lane:
/// libsodium's Argon2id is fixed to p=1.
struct Argon2Cost {
    std::uint32_t passes = 3;
    std::uint32_t memory_kib = 64 * 1024;
};
inline constexpr std::size_t k_argon2_salt_bytes = 16;

/// 32 bytes from something a person knows. Takes about 90 ms: run it in a BlockingPool.
/// Errors: out_of_memory.
[[nodiscard]] Result<Secret> stretch(const Secret& secret, ByteView salt, Argon2Cost cost);

/// A password's hash in the PHC string form `$argon2id$v=19$...`.
[[nodiscard]] Result<std::string> hash_password(const Secret& password, Argon2Cost cost);
/// What such a hash cost. Nothing where it is not well formed.
[[nodiscard]] std::optional<Argon2Cost> cost_of_hash(std::string_view hash);
/// What a hash should cost where it costs less than `today` in passes or memory; neither becomes
/// less than it was. Nothing where it is good enough.
[[nodiscard]] std::optional<Argon2Cost> raised_cost(Argon2Cost of_hash, Argon2Cost today);
/// Constant-time; false for a hash that is not well formed.
[[nodiscard]] bool verify_password(std::string_view hash, const Secret& password);

}  // namespace postern::crypto
