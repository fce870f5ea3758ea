#include "features/identity/bearer.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>

namespace postern::identity {
namespace {

std::string text_of(const Bearer& bearer) {
    return bearer.text.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}

TEST(Bearer, text_has_prefix_and_256_bits_and_its_own_hash) {
    for (const auto prefix : {k_api_token_prefix, k_session_prefix, k_setup_prefix}) {
        const auto first = make_bearer(prefix);
        const auto text = text_of(first);
        EXPECT_TRUE(text.starts_with(prefix));
        EXPECT_EQ(text.size(), prefix.size() + (prefix == k_api_token_prefix ? 49 : 43));
        EXPECT_EQ(hash_of_bearer(prefix, text), first.hash);
        EXPECT_NE(make_bearer(prefix).hash, first.hash);
    }
}

TEST(Bearer, other_forms_have_no_hash) {
    const auto good = text_of(make_bearer(k_api_token_prefix));
    auto plus = good;
    plus[10] = '+';
    auto loose = good;
    loose.resize(47);
    loose.back() = loose.back() == 'B' ? 'C' : 'B';  // bits beyond the 256th are set
    for (const auto& wrong : {std::string(), std::string("pst_"), good.substr(1), good + "A", plus,
                              loose, "PST_" + good.substr(4), std::string(5000, 'A')}) {
        EXPECT_FALSE(hash_of_bearer(k_api_token_prefix, wrong).has_value()) << wrong;
    }
}

TEST(Bearer, checksum_tells_a_token_from_what_only_looks_so) {
    const auto good = text_of(make_bearer(k_api_token_prefix));
    for (std::size_t at = 4; at < good.size(); ++at) {
        auto wrong = good;
        wrong[at] = wrong[at] == 'A' ? 'E' : 'A';
        EXPECT_FALSE(hash_of_bearer(k_api_token_prefix, wrong).has_value()) << at;
    }
}

TEST(Bearer, checksum_is_the_crc_32_of_zlib) {
    // zlib.crc32(b"pst_" + b"A" * 43) in base 62
    const auto text = "pst_" + std::string(43, 'A');
    EXPECT_TRUE(hash_of_bearer(k_api_token_prefix, text + "1mYifh").has_value());
}

TEST(Bearer, token_of_before_has_no_checksum) {
    const auto text = "pst_" + std::string(42, 'x') + "A";
    EXPECT_TRUE(hash_of_bearer(k_api_token_prefix, text).has_value());
    EXPECT_FALSE(hash_of_bearer(k_session_prefix, "pss_" + std::string(48, 'A')).has_value());
}

}  // namespace
}  // namespace postern::identity
