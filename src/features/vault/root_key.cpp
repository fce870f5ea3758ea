#include "features/vault/root_key.h"

#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/os/files.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::vault {
namespace {

constexpr unsigned k_file_mode = 0400;
constexpr std::size_t k_fingerprint_bytes = 16;

Result<Secret> checked_size(Secret root_key) {
    if (root_key.size() != crypto::k_key_bytes) return fail(VaultError::bad_root_key_file);
    return root_key;
}

}  // namespace

Secret make_root_key() {
    return crypto::random_key();
}

Result<> write_root_key(const std::string& path, const Secret& root_key) {
    POSTERN_CHECK(root_key.size() == crypto::k_key_bytes);
    return root_key.with_bytes(
        [&](ByteView bytes) { return os::create_file(path, bytes, k_file_mode); });
}

Result<Secret> read_root_key(const std::string& path) {
    POSTERN_TRY(auto root_key, os::read_secret_file(path, crypto::k_key_bytes));
    return checked_size(std::move(root_key));
}

Result<Secret> read_root_key(int fd) {
    POSTERN_TRY(auto root_key, os::read_secret(fd, crypto::k_key_bytes));
    return checked_size(std::move(root_key));
}

std::string fingerprint(const Secret& root_key) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string text;
    crypto::derive_key(root_key, "postern fingerprint 1").with_bytes([&](ByteView bytes) {
        for (const auto byte : bytes.first(k_fingerprint_bytes)) {
            text += k_digits[byte >> 4U];
            text += k_digits[byte & 15U];
        }
    });
    return text;
}

}  // namespace postern::vault
