#include "foundation/crypto/hash.h"

#include "foundation/base/bytes.h"
#include "foundation/crypto/crypto_vectors_test.h"

#include <string>
#include <vector>

namespace postern::crypto {
namespace {

TEST(Sha256, matches_fips_180_4) {
    const auto abc = sha256(as_bytes("abc"));
    EXPECT_EQ(to_bytes(abc),
              from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    const auto empty = sha256({});
    EXPECT_EQ(to_bytes(empty),
              from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

struct HmacCase {
    std::string_view key;
    std::string_view data;
    std::string_view mac;
};
TEST(Hmac, matches_rfc_4231) {
    const std::string long_key(131, '\xaa');
    const std::vector<HmacCase> cases = {
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (const auto& [key, data, mac] : cases) {
        EXPECT_EQ(to_bytes(hmac(secret_of(key), as_bytes(data))), from_hex(mac));
    }
}

struct HkdfCase {
    std::string input;
    std::string salt;
    std::string info;
    std::string first_block;
};
TEST(DeriveKey, matches_rfc_5869) {
    std::string long_input;
    std::string long_salt;
    std::string long_info;
    for (int i = 0; i < 0x50; ++i) {
        long_input += static_cast<char>(i);
        long_salt += static_cast<char>(0x60 + i);
        long_info += static_cast<char>(0xb0 + i);
    }
    const std::string input(22, '\x0b');
    const std::string salt("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 13);
    const std::vector<HkdfCase> cases = {
        {input, salt, "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
        {long_input, long_salt, long_info,
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"},
        {input, "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
    };
    for (const auto& each : cases) {
        const auto key = derive_key(secret_of(each.input), each.info, as_bytes(each.salt));
        EXPECT_EQ(bytes_of(key), from_hex(each.first_block));
    }
}

TEST(DeriveKey, differs_in_every_input) {
    const auto base = bytes_of(derive_key(test_key(1), "one", as_bytes("salt")));
    EXPECT_NE(base, bytes_of(derive_key(test_key(2), "one", as_bytes("salt"))));
    EXPECT_NE(base, bytes_of(derive_key(test_key(1), "two", as_bytes("salt"))));
    EXPECT_NE(base, bytes_of(derive_key(test_key(1), "one", as_bytes("pepper"))));
    EXPECT_EQ(base, bytes_of(derive_key(test_key(1), "one", as_bytes("salt"))));
}

TEST(DeriveKey, of_two_secrets_knows_where_one_ends_and_which_is_first) {
    const auto join = [](std::string_view a, std::string_view b) {
        return bytes_of(derive_key(secret_of(a), secret_of(b), "joined"));
    };
    EXPECT_NE(join("ab", "c"), join("a", "bc"));
    EXPECT_NE(join("a", "b"), join("b", "a"));
    EXPECT_NE(join("a", ""), join("", "a"));
    EXPECT_NE(join("ab", ""), bytes_of(derive_key(secret_of("ab"), "joined")));
    EXPECT_EQ(join("ab", "c"), join("ab", "c"));
}

TEST(EqualInConstantTime, is_true_for_equal_bytes_only) {
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_TRUE(equal_in_constant_time(as_bytes("same"), as_bytes("same")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("samE")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("Same"), as_bytes("same")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("same ")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), {}));
}

}  // namespace
}  // namespace postern::crypto
