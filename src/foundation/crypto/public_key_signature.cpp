#include "foundation/crypto/public_key_signature.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/crypto/keypair.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace postern::crypto {
namespace {

template <auto free_it>
struct Freed {
    template <typename T>
    void operator()(T* it) const noexcept {
        free_it(it);
    }
};
using OwnedPkey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using OwnedContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using OwnedDigest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using OwnedNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using OwnedBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using OwnedParams = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using OwnedEcdsa = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

constexpr std::size_t k_coordinate_bytes = 32;
constexpr int k_modulus_bits_min = 2048;
constexpr int k_modulus_bits_max = 4096;
constexpr std::size_t k_exponent_bytes_max = 4;
constexpr int k_salt_bytes = 32;

/// What OpenSSL notes of a refusal must not be found by whoever asks it next.
struct ErrorsCleared {
    ErrorsCleared() = default;
    ErrorsCleared(const ErrorsCleared&) = delete;
    ErrorsCleared& operator=(const ErrorsCleared&) = delete;
    ~ErrorsCleared() { ERR_clear_error(); }
};

OwnedNumber number_of(ByteView bytes) {
    OwnedNumber number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    POSTERN_CHECK(number != nullptr);
    return number;
}

/// nullptr where the library refuses the numbers: it asks of a point whether it is on its curve.
OwnedPkey key_of(const char* kind, const OSSL_PARAM* params) {
    const OwnedContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    POSTERN_CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
    EVP_PKEY* made = nullptr;
    // It takes the parameters as not const, and only reads them.
    if (EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                          const_cast<OSSL_PARAM*>(params)) != 1) {
        return nullptr;
    }
    return OwnedPkey(made);
}

/// r and s as DER; nothing unless they are 32 bytes each.
std::optional<Bytes> der_of(ByteView r_and_s) {
    if (r_and_s.size() != 2 * k_coordinate_bytes) return std::nullopt;
    const OwnedEcdsa numbers(ECDSA_SIG_new());
    POSTERN_CHECK(numbers != nullptr);
    auto r = number_of(r_and_s.first(k_coordinate_bytes));
    auto s = number_of(r_and_s.last(k_coordinate_bytes));
    POSTERN_CHECK(ECDSA_SIG_set0(numbers.get(), r.release(), s.release()) == 1);
    Bytes der(static_cast<std::size_t>(i2d_ECDSA_SIG(numbers.get(), nullptr)));
    auto* out = der.data();
    i2d_ECDSA_SIG(numbers.get(), &out);
    return der;
}

bool verify_digest(EVP_PKEY* key, bool is_pss, ByteView message, ByteView signature) {
    const OwnedDigest digest(EVP_MD_CTX_new());
    POSTERN_CHECK(digest != nullptr);
    EVP_PKEY_CTX* context = nullptr;  // of the digest
    if (EVP_DigestVerifyInit(digest.get(), &context, EVP_sha256(), nullptr, key) != 1) return false;
    if (is_pss && (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
                   EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) != 1 ||
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, k_salt_bytes) != 1)) {
        return false;
    }
    return EVP_DigestVerify(digest.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace

/// Ed25519 stays as its bytes for libsodium, which also refuses keys and signatures of small order.
struct PublicKey::Key {
    OwnedPkey pkey;
    Bytes point;
};

void PublicKey::Free::operator()(Key* key) const noexcept {
    std::default_delete<Key>()(key);
}

Result<PublicKey> PublicKey::p256(ByteView x, ByteView y) {
    const ErrorsCleared cleared;
    if (x.size() != k_coordinate_bytes || y.size() != k_coordinate_bytes)
        return fail(PublicKeyError::wrong_size);
    Bytes point{POINT_CONVERSION_UNCOMPRESSED};
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    const OwnedBuilder builder(OSSL_PARAM_BLD_new());
    POSTERN_CHECK(builder != nullptr);
    POSTERN_CHECK(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                  "prime256v1", 0) == 1);
    POSTERN_CHECK(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                   point.data(), point.size()) == 1);
    const OwnedParams params(OSSL_PARAM_BLD_to_param(builder.get()));
    POSTERN_CHECK(params != nullptr);
    auto pkey = key_of("EC", params.get());
    if (pkey == nullptr) return fail(PublicKeyError::no_point);
    return PublicKey(std::unique_ptr<Key, Free>(new Key{std::move(pkey), {}}));
}

Result<PublicKey> PublicKey::ed25519(ByteView point) {
    if (point.size() != crypto_sign_PUBLICKEYBYTES) return fail(PublicKeyError::wrong_size);
    if (crypto_core_ed25519_is_valid_point(point.data()) != 1)
        return fail(PublicKeyError::no_point);
    return PublicKey(std::unique_ptr<Key, Free>(new Key{nullptr, to_bytes(point)}));
}

Result<PublicKey> PublicKey::rsa(ByteView modulus, ByteView exponent) {
    const ErrorsCleared cleared;
    if (modulus.empty() || modulus.front() == 0 || (modulus.back() & 1U) == 0 ||
        modulus.size() > k_modulus_bits_max / 8) {
        return fail(PublicKeyError::weak_modulus);
    }
    const auto n = number_of(modulus);
    if (BN_num_bits(n.get()) < k_modulus_bits_min) return fail(PublicKeyError::weak_modulus);
    if (exponent.empty() || exponent.front() == 0 || exponent.size() > k_exponent_bytes_max ||
        (exponent.back() & 1U) == 0 || (exponent.size() == 1 && exponent.front() == 1)) {
        return fail(PublicKeyError::bad_exponent);
    }
    const auto e = number_of(exponent);
    const OwnedBuilder builder(OSSL_PARAM_BLD_new());
    POSTERN_CHECK(builder != nullptr);
    POSTERN_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
    POSTERN_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    const OwnedParams params(OSSL_PARAM_BLD_to_param(builder.get()));
    POSTERN_CHECK(params != nullptr);
    auto pkey = key_of("RSA", params.get());
    if (pkey == nullptr) return fail(PublicKeyError::weak_modulus);
    return PublicKey(std::unique_ptr<Key, Free>(new Key{std::move(pkey), {}}));
}

bool verify(SignatureAlgorithm algorithm,
            const PublicKey& key,
            ByteView message,
            ByteView signature) {
    const ErrorsCleared cleared;
    auto* const pkey = key.key_->pkey.get();
    const bool is_rsa = pkey != nullptr && EVP_PKEY_is_a(pkey, "RSA") == 1;
    const bool is_ec = pkey != nullptr && EVP_PKEY_is_a(pkey, "EC") == 1;
    switch (algorithm) {
        case SignatureAlgorithm::es256: {
            const auto der = is_ec ? der_of(signature) : std::nullopt;
            return der && verify_digest(pkey, false, message, *der);
        }
        case SignatureAlgorithm::es256_der:
            return is_ec && verify_digest(pkey, false, message, signature);
        case SignatureAlgorithm::rs256:
            return is_rsa && verify_digest(pkey, false, message, signature);
        case SignatureAlgorithm::ps256:
            return is_rsa && verify_digest(pkey, true, message, signature);
        case SignatureAlgorithm::ed25519:
            return pkey == nullptr && verify(key.key_->point, message, signature);
    }
    return false;
}

}  // namespace postern::crypto
