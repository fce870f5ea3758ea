#include "foundation/base/bytes.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/crypto_vectors_test.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"

#include <openssl/bn.h>
#include <sodium.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>

/// The attack that the commitment is for: one ciphertext that opens under two keys, by solving
/// Poly1305's two equations for two blocks of ciphertext (Len, Grubbs, Ristenpart 2021).
namespace postern::crypto {
namespace {

constexpr std::size_t k_block = 16;

struct NumberDeleter {
    void operator()(BIGNUM* number) const { BN_free(number); }
};
using Number = std::unique_ptr<BIGNUM, NumberDeleter>;
struct ContextDeleter {
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};

BN_CTX* context() {
    static const std::unique_ptr<BN_CTX, ContextDeleter> instance(BN_CTX_new());
    return instance.get();
}
Number number(unsigned long value = 0) {
    Number made(BN_new());
    BN_set_word(made.get(), value);
    return made;
}
Number power_of_two(int bits) {
    auto made = number();
    BN_set_bit(made.get(), bits);
    return made;
}
Number little_endian(ByteView bytes) {
    return Number(BN_lebin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}
const BIGNUM* prime() {
    static const Number instance = [] {
        auto made = power_of_two(130);
        BN_sub_word(made.get(), 5);
        return made;
    }();
    return instance.get();
}
Number add(const Number& a, const Number& b) {
    auto sum = number();
    BN_mod_add(sum.get(), a.get(), b.get(), prime(), context());
    return sum;
}
Number sub(const Number& a, const Number& b) {
    auto difference = number();
    BN_mod_sub(difference.get(), a.get(), b.get(), prime(), context());
    return difference;
}
Number mul(const Number& a, const Number& b) {
    auto product = number();
    BN_mod_mul(product.get(), a.get(), b.get(), prime(), context());
    return product;
}
Number divide(const Number& a, const Number& b) {
    const Number inverse(BN_mod_inverse(nullptr, b.get(), prime(), context()));
    return mul(a, inverse);
}

/// One key's view of the message: r, s, and what all blocks but the two free ones add up to.
struct View {
    Number r;
    Number s;
    Number fixed;
};

View view_of(const Bytes& key, const Bytes& nonce, const Bytes& aad) {
    Bytes subkey(32);
    crypto_core_hchacha20(subkey.data(), nonce.data(), key.data(), nullptr);
    Bytes short_nonce(12);
    std::copy(nonce.begin() + 16, nonce.end(), short_nonce.begin() + 4);
    Bytes pad(32);
    crypto_stream_chacha20_ietf(pad.data(), pad.size(), short_nonce.data(), subkey.data());
    for (const std::size_t i : {3, 7, 11, 15})
        pad[i] &= 15;
    for (const std::size_t i : {4, 8, 12})
        pad[i] &= 252;
    View view{little_endian(ByteView(pad).first(k_block)),
              little_endian(ByteView(pad).last(k_block)), number()};
    const auto absorb = [&view](const Bytes& data) {
        for (std::size_t at = 0; at < data.size(); at += k_block) {
            Bytes block(k_block + 1);
            std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at),
                        std::min(k_block, data.size() - at), block.begin());
            block[k_block] = 1;
            view.fixed = mul(add(view.fixed, little_endian(block)), view.r);
        }
    };
    absorb(aad);
    view.fixed = mul(mul(view.fixed, view.r), view.r);  // where the two free blocks go
    Bytes lengths(k_block);
    for (std::size_t i = 0; i < 8; ++i) {
        lengths[i] = static_cast<std::uint8_t>(std::uint64_t{aad.size()} >> (8 * i));
        lengths[8 + i] = static_cast<std::uint8_t>(std::uint64_t{2 * k_block} >> (8 * i));
    }
    absorb(lengths);
    return view;
}

/// What the two free blocks have to add up to for the tag.
Number wanted(const View& view, const Number& tag) {
    auto value = number();
    const auto modulus = power_of_two(128);
    BN_mod_sub(value.get(), tag.get(), view.s.get(), modulus.get(), context());
    return sub(value, view.fixed);
}

/// The two blocks for this tag, or nothing where one does not fit 128 bits.
Bytes solve(const View& one, const View& two, const Number& tag) {
    const auto coefficient = [](const View& view) { return mul(view.r, view.r); };
    const auto a1 = mul(coefficient(one), one.r);
    const auto b1 = coefficient(one);
    const auto a2 = mul(coefficient(two), two.r);
    const auto b2 = coefficient(two);
    const auto c1 = wanted(one, tag);
    const auto c2 = wanted(two, tag);
    const auto determinant = sub(mul(a1, b2), mul(a2, b1));
    if (BN_is_zero(determinant.get())) return {};
    const Number x = divide(sub(mul(c1, b2), mul(c2, b1)), determinant);
    const Number y = divide(sub(mul(a1, c2), mul(a2, c1)), determinant);
    Bytes blocks;
    for (const auto* each : {&x, &y}) {
        // A full block counts as its value with one more bit above.
        if (BN_num_bits(each->get()) != 129) return {};
        BN_clear_bit(each->get(), 128);
        Bytes block(k_block);
        BN_bn2lebinpad(each->get(), block.data(), k_block);
        blocks.insert(blocks.end(), block.begin(), block.end());
    }
    return blocks;
}

/// nonce | ciphertext | tag that XChaCha20-Poly1305 accepts under both keys.
Bytes collide(const Bytes& key_one, const Bytes& key_two, const Bytes& aad) {
    const Bytes nonce(24, 0x11);
    const auto one = view_of(key_one, nonce, aad);
    const auto two = view_of(key_two, nonce, aad);
    for (int tries = 0; tries < 2000; ++tries) {
        const auto tag = random_bytes(k_block);
        const auto blocks = solve(one, two, little_endian(tag));
        if (blocks.empty()) continue;
        auto sealed = nonce;
        sealed.insert(sealed.end(), blocks.begin(), blocks.end());
        sealed.insert(sealed.end(), tag.begin(), tag.end());
        return sealed;
    }
    return {};
}

Bytes joined(std::initializer_list<ByteView> parts) {
    Bytes out;
    for (const auto part : parts)
        out.insert(out.end(), part.begin(), part.end());
    return out;
}

TEST(Commitment, plain_record_can_be_made_to_open_under_two_keys) {
    const auto crafted = collide(Bytes(32, 1), Bytes(32, 2), test_place().canonical());
    ASSERT_FALSE(crafted.empty());
    const auto sealed = joined({Bytes{1}, crafted});
    EXPECT_TRUE(open(test_key(1), sealed, test_place()));
    EXPECT_TRUE(open(test_key(2), sealed, test_place()));
}

TEST(Commitment, committed_record_opens_under_one_key_at_most) {
    const auto inner = [](std::uint8_t fill) {
        return bytes_of(derive_key(test_key(fill), "postern committed key 1"));
    };
    const auto commitment = [](std::uint8_t fill) {
        return bytes_of(
            derive_key(test_key(fill), "postern commitment 1", test_place().canonical()));
    };
    const auto crafted = collide(inner(1), inner(2), test_place().canonical());
    ASSERT_FALSE(crafted.empty());
    for (const std::uint8_t stated : {1, 2}) {
        const auto sealed = joined({Bytes{2}, commitment(stated), crafted});
        for (const std::uint8_t tried : {1, 2}) {
            const auto opened = open_committed(test_key(tried), sealed, test_place());
            EXPECT_EQ(opened.has_value(), tried == stated);
        }
    }
}

}  // namespace
}  // namespace postern::crypto
