#include "foundation/crypto/random.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/secret.h"

#include <sodium.h>
#include <cstddef>
#include <cstdint>
#include <span>

namespace postern::crypto {

void fill_random(std::span<std::uint8_t> out) {
    POSTERN_CHECK(sodium_init() >= 0);
    if (!out.empty()) randombytes_buf(out.data(), out.size());
}

Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    fill_random(bytes);
    return bytes;
}

Secret random_secret(std::size_t size) {
    auto secret = Secret::of_size(size);
    secret.with_mutable_bytes([](std::span<std::uint8_t> bytes) { fill_random(bytes); });
    return secret;
}

}  // namespace postern::crypto
