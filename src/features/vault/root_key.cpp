#include "features/vault/root_key.h"

#include "features/vault/shared_secret.h"
#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"
#include "platform/os/files.h"

#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::vault {
namespace {

constexpr std::size_t k_fingerprint_bytes = 16;

// A file under a passphrase: magic | passes | memory in KiB | salt | sealed key, form 2
// (committed).
constexpr std::string_view k_magic = "postern-root-key-1\n";
constexpr std::size_t k_number_bytes = 4;
constexpr std::size_t k_head_bytes =
    k_magic.size() + 2 * k_number_bytes + crypto::k_argon2_salt_bytes;
constexpr std::size_t k_sealed_bytes = 1 + 32 + 24 + 16 + crypto::k_key_bytes;
constexpr std::size_t k_file_bytes = k_head_bytes + k_sealed_bytes;

// The file is foreign until it has opened.
constexpr std::uint32_t k_passes_max = 20;
constexpr std::uint32_t k_memory_kib_min = 8;
constexpr std::uint32_t k_memory_kib_max = 1024 * 1024;

struct Head {
    crypto::Argon2Cost cost;
    Bytes salt;
};

void put(Bytes& out, std::uint32_t value) {
    for (std::size_t i = 0; i < k_number_bytes; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint32_t number_at(ByteView bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < k_number_bytes; ++i)
        value |= std::uint32_t{bytes[at + i]} << (8 * i);
    return value;
}

Bytes bytes_of(const Head& head) {
    Bytes bytes = to_bytes(k_magic);
    put(bytes, head.cost.passes);
    put(bytes, head.cost.memory_kib);
    bytes.insert(bytes.end(), head.salt.begin(), head.salt.end());
    return bytes;
}

/// Errors: bad_root_key_file.
Result<Head> head_of(ByteView file) {
    if (file.size() != k_file_bytes || as_text(file.first(k_magic.size())) != k_magic) {
        return fail(VaultError::bad_root_key_file);
    }
    Head head;
    head.cost.passes = number_at(file, k_magic.size());
    head.cost.memory_kib = number_at(file, k_magic.size() + k_number_bytes);
    head.salt =
        to_bytes(file.subspan(k_magic.size() + 2 * k_number_bytes, crypto::k_argon2_salt_bytes));
    if (head.cost.passes < 1 || head.cost.passes > k_passes_max ||
        head.cost.memory_kib < k_memory_kib_min || head.cost.memory_kib > k_memory_kib_max) {
        return fail(VaultError::bad_root_key_file);
    }
    return head;
}

crypto::Place place_of(const Head& head) {
    return {k_installation, 0, bytes_of(head), 0};
}

Result<Secret> passphrase_key(const Secret& passphrase, const Head& head) {
    POSTERN_TRY(const auto stretched, crypto::stretch(passphrase, head.salt, head.cost));
    return crypto::derive_key(stretched, "postern root key passphrase 1");
}

Result<Secret> open_with(const Secret& passphrase, ByteView file) {
    POSTERN_TRY(const auto head, head_of(file));
    if (passphrase.empty()) return fail(VaultError::passphrase_needed);
    POSTERN_TRY(const auto key, passphrase_key(passphrase, head));
    auto opened = crypto::open_committed(key, file.subspan(k_head_bytes), place_of(head));
    if (!opened || opened->size() != crypto::k_key_bytes) {
        return fail(VaultError::wrong_passphrase);
    }
    return opened;
}

}  // namespace

Secret make_root_key() {
    return crypto::random_key();
}

Result<> write_root_key(int fd,
                        const Secret& root_key,
                        const Secret& passphrase,
                        crypto::Argon2Cost cost) {
    POSTERN_CHECK(root_key.size() == crypto::k_key_bytes);
    if (passphrase.empty()) {
        auto written = root_key.with_bytes([&](ByteView bytes) { return os::append(fd, bytes); });
        if (!written) return written;
    } else {
        if (auto strong = check_strength(passphrase); !strong) return strong;
        const Head head{cost, crypto::random_bytes(crypto::k_argon2_salt_bytes)};
        POSTERN_TRY(const auto key, passphrase_key(passphrase, head));
        auto file = bytes_of(head);
        const auto sealed = crypto::seal_committed(key, root_key, place_of(head));
        file.insert(file.end(), sealed.begin(), sealed.end());
        if (auto written = os::append(fd, file); !written) return written;
    }
    if (::fsync(fd) != 0) return fail(os::errno_error("root key"));
    return {};
}

Result<Secret> read_root_key(int fd, const Secret& passphrase) {
    auto content = os::read_secret(fd, k_file_bytes);
    if (!content && content.error().is(os::OsError::too_large)) {
        return fail(VaultError::bad_root_key_file);
    }
    if (!content) return content;
    if (content->size() == crypto::k_key_bytes) return content;
    return content->with_bytes([&](ByteView file) { return open_with(passphrase, file); });
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
