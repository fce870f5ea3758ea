#include "foundation/crypto/aead.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace postern::crypto {
namespace {

constexpr std::uint8_t k_record = 1;
constexpr std::uint8_t k_committed = 2;
constexpr std::uint8_t k_bulk = 3;
constexpr std::size_t k_nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t k_tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t k_commitment_bytes = 32;
constexpr std::size_t k_gcm_nonce_bytes = 12;

/// Appends nonce, ciphertext and tag to `out`.
void append_sealed(Bytes& out, const Secret& key, ByteView plaintext, const Place& place) {
    const auto aad = place.canonical();
    const auto at = out.size();
    out.resize(at + k_nonce_bytes + plaintext.size() + k_tag_bytes);
    const std::span nonce(out.data() + at, k_nonce_bytes);
    fill_random(nonce);
    key.with_bytes([&](ByteView bytes) {
        POSTERN_CHECK(bytes.size() == k_key_bytes);
        crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + at + k_nonce_bytes, nullptr,
                                                   plaintext.data(), plaintext.size(), aad.data(),
                                                   aad.size(), nullptr, nonce.data(), bytes.data());
    });
}

/// `sealed` is nonce, ciphertext and tag; `out` has the plaintext's size.
bool open_into(std::span<std::uint8_t> out,
               const Secret& key,
               ByteView sealed,
               const Place& place) {
    const auto aad = place.canonical();
    return key.with_bytes([&](ByteView bytes) {
        POSTERN_CHECK(bytes.size() == k_key_bytes);
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
                   out.data(), nullptr, nullptr, sealed.data() + k_nonce_bytes,
                   sealed.size() - k_nonce_bytes, aad.data(), aad.size(), sealed.data(),
                   bytes.data()) == 0;
    });
}

Result<Secret> open_body(const Secret& key, ByteView sealed, const Place& place) {
    if (sealed.size() < k_nonce_bytes + k_tag_bytes) return fail(CryptoError::cannot_open);
    auto out = Secret::of_size(sealed.size() - k_nonce_bytes - k_tag_bytes);
    const bool opened = out.with_mutable_bytes(
        [&](std::span<std::uint8_t> bytes) { return open_into(bytes, key, sealed, place); });
    if (!opened) return fail(CryptoError::cannot_open);
    return out;
}

/// Encryption key and commitment come from the same secret by two one-way paths.
Secret commitment_of(const Secret& key, const Place& place) {
    return derive_key(key, "postern commitment 1", place.canonical());
}
Secret committed_key(const Secret& key) {
    return derive_key(key, "postern committed key 1");
}

struct ContextDeleter {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;
constexpr std::array<std::uint8_t, k_gcm_nonce_bytes> k_zero_nonce{};

bool gcm_start(EVP_CIPHER_CTX* context, const Secret& key, const Bytes& aad, bool encrypt) {
    int size = 0;
    return key.with_bytes([&](ByteView bytes) {
        return bytes.size() == k_key_bytes &&
               EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, bytes.data(),
                                 k_zero_nonce.data(), encrypt ? 1 : 0) == 1 &&
               EVP_CipherUpdate(context, nullptr, &size, aad.data(),
                                static_cast<int>(aad.size())) == 1;
    });
}

/// EVP takes int lengths: large objects go through in pieces.
bool gcm_run(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
    constexpr std::size_t k_piece = 1 << 24;
    while (!in.empty()) {
        const auto piece = in.first(std::min(in.size(), k_piece));
        int size = 0;
        if (EVP_CipherUpdate(context, out, &size, piece.data(), static_cast<int>(piece.size())) !=
            1) {
            return false;
        }
        out += size;
        in = in.subspan(piece.size());
    }
    return true;
}

}  // namespace

Bytes seal(const Secret& key, ByteView plaintext, const Place& place) {
    Bytes out{k_record};
    append_sealed(out, key, plaintext, place);
    return out;
}

Bytes seal(const Secret& key, const Secret& plaintext, const Place& place) {
    return plaintext.with_bytes([&](ByteView bytes) { return seal(key, bytes, place); });
}

Result<Bytes> open(const Secret& key, ByteView sealed, const Place& place) {
    if (sealed.size() < k_record_overhead || sealed[0] != k_record) {
        return fail(CryptoError::cannot_open);
    }
    Bytes out(sealed.size() - k_record_overhead);
    if (!open_into(out, key, sealed.subspan(1), place)) return fail(CryptoError::cannot_open);
    return out;
}

Result<Secret> open_secret(const Secret& key, ByteView sealed, const Place& place) {
    if (sealed.empty() || sealed[0] != k_record) return fail(CryptoError::cannot_open);
    return open_body(key, sealed.subspan(1), place);
}

Bytes seal_committed(const Secret& key, const Secret& plaintext, const Place& place) {
    Bytes out{k_committed};
    commitment_of(key, place).with_bytes([&](ByteView bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
    });
    plaintext.with_bytes(
        [&](ByteView bytes) { append_sealed(out, committed_key(key), bytes, place); });
    return out;
}

Result<Secret> open_committed(const Secret& key, ByteView sealed, const Place& place) {
    if (sealed.size() < 1 + k_commitment_bytes || sealed[0] != k_committed) {
        return fail(CryptoError::cannot_open);
    }
    const auto stated = sealed.subspan(1, k_commitment_bytes);
    const bool committed = commitment_of(key, place).with_bytes([&](ByteView ours) {
        return equal_in_constant_time(ours, stated);
    });
    // Both are always computed: how long it takes says nothing about which one failed.
    auto opened = open_body(committed_key(key), sealed.subspan(1 + k_commitment_bytes), place);
    if (!committed) return fail(CryptoError::cannot_open);
    return opened;
}

Bytes seal_bulk(const Secret& fresh_key, ByteView plaintext, const Place& place) {
    Bytes out(1 + plaintext.size() + k_tag_bytes);
    out[0] = k_bulk;
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool sealed =
        context != nullptr && gcm_start(context.get(), fresh_key, place.canonical(), true) &&
        gcm_run(context.get(), plaintext, out.data() + 1) &&
        EVP_CipherFinal_ex(context.get(), out.data() + 1 + plaintext.size(), &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, k_tag_bytes,
                            out.data() + 1 + plaintext.size()) == 1;
    POSTERN_CHECK(sealed);
    return out;
}

Result<Bytes> open_bulk(const Secret& key, ByteView sealed, const Place& place) {
    if (sealed.size() < 1 + k_tag_bytes || sealed[0] != k_bulk) {
        return fail(CryptoError::cannot_open);
    }
    const auto body = sealed.subspan(1, sealed.size() - 1 - k_tag_bytes);
    Bytes tag = to_bytes(sealed.last(k_tag_bytes));
    Bytes out(body.size());
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool opened =
        context != nullptr && gcm_start(context.get(), key, place.canonical(), false) &&
        gcm_run(context.get(), body, out.data()) &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, k_tag_bytes, tag.data()) == 1 &&
        EVP_CipherFinal_ex(context.get(), out.data() + body.size(), &size) == 1;
    if (!opened) return fail(CryptoError::cannot_open);
    return out;
}

}  // namespace postern::crypto
