#include "foundation/crypto/aead.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/crypto_vectors_test.h"
#include "foundation/crypto/place.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace postern::crypto {
namespace {

constexpr std::size_t k_nonce_bytes = 24;

struct Form {
    std::string name;
    std::function<Bytes(const Secret&, const Secret&, const Place&)> seal;
    std::function<Result<Bytes>(const Secret&, ByteView, const Place&)> open;
};

Result<Bytes> as_plain(Result<Secret> opened) {
    if (!opened) return fail(std::move(opened.error()));
    return bytes_of(*opened);
}

const Form k_forms[] = {
    {"record",
     [](const Secret& key, const Secret& text, const Place& place) {
         return seal(key, text, place);
     },
     [](const Secret& key, ByteView sealed, const Place& place) {
         return open(key, sealed, place);
     }},
    {"secret record",
     [](const Secret& key, const Secret& text, const Place& place) {
         return seal(key, text, place);
     },
     [](const Secret& key, ByteView sealed, const Place& place) {
         return as_plain(open_secret(key, sealed, place));
     }},
    {"committed",
     [](const Secret& key, const Secret& text, const Place& place) {
         return seal_committed(key, text, place);
     },
     [](const Secret& key, ByteView sealed, const Place& place) {
         return as_plain(open_committed(key, sealed, place));
     }},
    {"bulk",
     [](const Secret& key, const Secret& text, const Place& place) {
         return seal_bulk(key, bytes_of(text), place);
     },
     [](const Secret& key, ByteView sealed, const Place& place) {
         return open_bulk(key, sealed, place);
     }},
};

TEST(Aead, opens_what_it_sealed) {
    for (const auto& form : k_forms) {
        for (const std::size_t size : {0, 1, 15, 16, 17, 1000, 70'000}) {
            const Bytes text(size, 0x5a);
            const auto sealed = form.seal(test_key(1), secret_of(text), test_place());
            const auto opened = form.open(test_key(1), sealed, test_place());
            ASSERT_TRUE(opened) << form.name << ' ' << size;
            EXPECT_EQ(*opened, text) << form.name << ' ' << size;
        }
    }
}

TEST(Aead, one_error_for_another_key_or_place) {
    auto other_workspace = test_place();
    other_workspace.workspace = {};
    auto other_column = test_place();
    other_column.column = 43;
    auto other_row = test_place();
    other_row.row = {1, 2, 4};
    auto longer_row = test_place();
    longer_row.row.push_back(0);
    auto other_epoch = test_place();
    other_epoch.epoch = 8;
    for (const auto& form : k_forms) {
        const auto sealed = form.seal(test_key(1), secret_of("text"), test_place());
        for (const auto& place :
             {other_workspace, other_column, other_row, longer_row, other_epoch}) {
            const auto moved = form.open(test_key(1), sealed, place);
            ASSERT_FALSE(moved) << form.name;
            EXPECT_TRUE(moved.error().is(CryptoError::cannot_open));
            EXPECT_EQ(moved.error().detail(), "");
        }
        const auto wrong = form.open(test_key(2), sealed, test_place());
        ASSERT_FALSE(wrong) << form.name;
        EXPECT_TRUE(wrong.error().is(CryptoError::cannot_open));
    }
}

TEST(Aead, refuses_every_flipped_bit_and_every_cut) {
    for (const auto& form : k_forms) {
        const auto sealed = form.seal(test_key(1), secret_of("a secret text"), test_place());
        for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
            auto changed = sealed;
            changed[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
            EXPECT_FALSE(form.open(test_key(1), changed, test_place())) << form.name << ' ' << i;
        }
        for (std::size_t i = 0; i < sealed.size(); ++i) {
            EXPECT_FALSE(form.open(test_key(1), ByteView(sealed).first(i), test_place()))
                << form.name << ' ' << i;
        }
        auto longer = sealed;
        longer.push_back(0);
        EXPECT_FALSE(form.open(test_key(1), longer, test_place())) << form.name;
    }
}

TEST(Aead, one_form_does_not_open_as_another) {
    for (const auto& made : k_forms) {
        for (const auto& asked : k_forms) {
            const bool same = made.name.ends_with("record") && asked.name.ends_with("record");
            if (made.name == asked.name || same) continue;
            const auto sealed = made.seal(test_key(1), secret_of("text"), test_place());
            EXPECT_FALSE(asked.open(test_key(1), sealed, test_place()))
                << made.name << " as " << asked.name;
        }
    }
}

TEST(Aead, record_takes_a_fresh_nonce_each_time) {
    EXPECT_NE(seal(test_key(1), secret_of("same"), test_place()),
              seal(test_key(1), secret_of("same"), test_place()));
    EXPECT_EQ(seal(test_key(1), secret_of("12345"), test_place()).size(), k_record_overhead + 5);
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1: that the primitive below our form is the known one.
TEST(Aead, primitive_matches_the_xchacha_draft) {
    const std::string_view text =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    const auto key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const auto nonce = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const auto aad = from_hex("50515253c0c1c2c3c4c5c6c7");
    Bytes out(text.size() + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, as_bytes(text).data(),
                                               text.size(), aad.data(), aad.size(), nullptr,
                                               nonce.data(), key.data());
    EXPECT_EQ(to_bytes(ByteView(out).first(16)), from_hex("bd6d179d3e83d43b9576579493c0e939"));
    EXPECT_EQ(to_bytes(ByteView(out).last(16)), from_hex("c0875924c1c7987947deafd8780acf49"));
}

/// ChaCha20-Poly1305 by OpenSSL over an HChaCha20 subkey: XChaCha20-Poly1305 by another road.
Bytes open_with_openssl(const Bytes& key, ByteView sealed, const Bytes& aad) {
    const auto nonce = sealed.subspan(1, k_nonce_bytes);
    const auto body = sealed.subspan(1 + k_nonce_bytes, sealed.size() - k_record_overhead);
    auto tag = to_bytes(sealed.last(16));
    Bytes subkey(32);
    crypto_core_hchacha20(subkey.data(), nonce.data(), key.data(), nullptr);
    Bytes short_nonce(12);
    std::copy(nonce.begin() + 16, nonce.end(), short_nonce.begin() + 4);
    Bytes out(body.size());
    int size = 0;
    auto* context = EVP_CIPHER_CTX_new();
    EVP_DecryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, subkey.data(),
                       short_nonce.data());
    EVP_DecryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
    EVP_DecryptUpdate(context, out.data(), &size, body.data(), static_cast<int>(body.size()));
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
    const int good = EVP_DecryptFinal_ex(context, out.data() + size, &size);
    EVP_CIPHER_CTX_free(context);
    return good == 1 ? out : Bytes();
}

TEST(Aead, record_opens_with_another_implementation) {
    const auto sealed = seal(test_key(3), secret_of("read by both"), test_place());
    EXPECT_EQ(open_with_openssl(Bytes(32, 3), sealed, test_place().canonical()),
              to_bytes("read by both"));
}

TEST(Aead, bulk_matches_gcm_with_the_fixed_nonce) {
    const auto sealed = seal_bulk(test_key(0), Bytes(16, 0), test_place());
    ASSERT_EQ(sealed.size(), 1U + 16U + 16U);
    EXPECT_EQ(sealed[0], 3);
    // NIST's GCM test case 14; the ciphertext does not depend on the additional data.
    EXPECT_EQ(to_bytes(ByteView(sealed).subspan(1, 16)),
              from_hex("cea7403d4d606b6e074ec5d3baf39d18"));
}

TEST(Aead, bulk_takes_more_than_one_piece) {
    Bytes large((1U << 24U) + 12'345U, 0x77);
    large.back() = 1;
    const auto sealed = seal_bulk(test_key(5), large, test_place());
    const auto opened = open_bulk(test_key(5), sealed, test_place());
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, large);
}

}  // namespace
}  // namespace postern::crypto
