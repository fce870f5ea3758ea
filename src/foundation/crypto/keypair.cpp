#include "foundation/crypto/keypair.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/random.h"

#include <sodium.h>
#include <cstdint>
#include <span>
#include <utility>

namespace postern::crypto {

BoxPair box_pair_of(Secret private_key) {
    BoxPair pair{Bytes(crypto_box_PUBLICKEYBYTES), std::move(private_key)};
    pair.private_key.with_bytes([&](ByteView bytes) {
        POSTERN_CHECK(bytes.size() == crypto_box_SECRETKEYBYTES);
        crypto_scalarmult_base(pair.public_key.data(), bytes.data());
    });
    return pair;
}

BoxPair make_box_pair() {
    return box_pair_of(random_secret(crypto_box_SECRETKEYBYTES));
}

Bytes box_seal(ByteView public_key, const Secret& plaintext) {
    POSTERN_CHECK(public_key.size() == crypto_box_PUBLICKEYBYTES);
    Bytes out(plaintext.size() + crypto_box_SEALBYTES);
    plaintext.with_bytes([&](ByteView bytes) {
        crypto_box_seal(out.data(), bytes.data(), bytes.size(), public_key.data());
    });
    return out;
}

Result<Secret> box_open(const BoxPair& pair, ByteView sealed) {
    if (sealed.size() < crypto_box_SEALBYTES) return fail(CryptoError::cannot_open);
    auto out = Secret::of_size(sealed.size() - crypto_box_SEALBYTES);
    const bool opened = pair.private_key.with_bytes([&](ByteView key) {
        return out.with_mutable_bytes([&](std::span<std::uint8_t> bytes) {
            return crypto_box_seal_open(bytes.data(), sealed.data(), sealed.size(),
                                        pair.public_key.data(), key.data()) == 0;
        });
    });
    if (!opened) return fail(CryptoError::cannot_open);
    return out;
}

SigningPair signing_pair_of(Secret seed) {
    SigningPair pair{Bytes(crypto_sign_PUBLICKEYBYTES), std::move(seed)};
    auto expanded = Secret::of_size(crypto_sign_SECRETKEYBYTES);
    pair.seed.with_bytes([&](ByteView bytes) {
        POSTERN_CHECK(bytes.size() == crypto_sign_SEEDBYTES);
        expanded.with_mutable_bytes([&](std::span<std::uint8_t> out) {
            crypto_sign_seed_keypair(pair.public_key.data(), out.data(), bytes.data());
        });
    });
    return pair;
}

SigningPair make_signing_pair() {
    return signing_pair_of(random_secret(crypto_sign_SEEDBYTES));
}

Bytes sign(const SigningPair& pair, ByteView message) {
    Bytes signature(crypto_sign_BYTES);
    auto expanded = Secret::of_size(crypto_sign_SECRETKEYBYTES);
    Bytes public_key(crypto_sign_PUBLICKEYBYTES);
    pair.seed.with_bytes([&](ByteView seed) {
        expanded.with_mutable_bytes([&](std::span<std::uint8_t> out) {
            crypto_sign_seed_keypair(public_key.data(), out.data(), seed.data());
            crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                                 out.data());
        });
    });
    return signature;
}

bool verify(ByteView public_key, ByteView message, ByteView signature) {
    return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
           signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       public_key.data()) == 0;
}

}  // namespace postern::crypto
