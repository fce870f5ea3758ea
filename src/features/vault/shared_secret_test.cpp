#include "features/vault/shared_secret.h"

#include "features/vault/crockford.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace postern::vault {
namespace {

std::string canonical(std::string_view typed) {
    return text_of(canonical_shared_secret(secret_of(typed)));
}

TEST(Crockford, text_and_bytes_are_each_others_inverse) {
    for (std::size_t size = 0; size < 40; ++size) {
        Bytes bytes(size);
        for (std::size_t i = 0; i < size; ++i)
            bytes[i] = static_cast<std::uint8_t>(i * 37 + size);
        const auto text = crockford_text(Secret::copy_of(bytes));
        const auto back =
            text.with_bytes([&](ByteView view) { return crockford_bytes(view, size); });
        EXPECT_EQ(back ? bytes_of(*back) : Bytes(1000), bytes) << size;
    }
}

TEST(Crockford, known_text) {
    EXPECT_EQ(text_of(crockford_text(secret_of("foobar"))), "csqpy-rk1e8");
    EXPECT_FALSE(crockford_bytes(as_bytes("csqpy-rk1e9"), 6));  // a bit beyond the last byte
    EXPECT_FALSE(crockford_bytes(as_bytes("csqpy-rk1e"), 6));
    EXPECT_FALSE(crockford_bytes(as_bytes("csqpy-rk1eu"), 6));
}

TEST(GeneratedSecret, has_25_characters_in_5_groups) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto text = text_of(generate_shared_secret());
        ASSERT_EQ(text.size(), 29U);
        for (std::size_t at = 0; at < text.size(); ++at) {
            EXPECT_EQ(text[at] == '-', at % 6 == 5) << text;
        }
        EXPECT_EQ(canonical(text), text);
        EXPECT_TRUE(check_strength(secret_of(text))) << text;
        EXPECT_TRUE(seen.insert(text).second);
    }
}

TEST(CanonicalSecret, reads_a_generated_one_however_it_is_typed) {
    const std::string text = "7k2mq-x0v1d-9hjtr-n4w8e-c5yzb";
    for (const auto& form :
         {text, std::string("7K2MQ-X0V1D-9HJTR-N4W8E-C5YZB"),
          std::string("7k2mqx0v1d9hjtrn4w8ec5yzb"), std::string("7k2mq x0v1d 9hjtr n4w8e c5yzb"),
          std::string("  7k2mq-xOvId-9hjtr-n4w8e-c5yzb "),
          std::string("7k2mq-xovld-9hjtr-n4w8e-c5yzb")}) {
        EXPECT_EQ(canonical(form), text) << form;
    }
}

TEST(CanonicalSecret, takes_any_other_exactly_as_typed) {
    for (const std::string_view typed :
         {"", "Correct Horse", "  leading and trailing  ", "7k2mq-x0v1d-9hjtr-n4w8e-c5yz",
          "7k2mq-x0v1d-9hjtr-n4w8e-c5yzbb", "7k2mq-x0v1d-9hjtr-n4w8e-c5yz!",
          "7k2mq_x0v1d_9hjtr_n4w8e_c5yzb", "p\xc3\xa4sswort mit umlaut"}) {
        EXPECT_EQ(canonical(typed), typed);
    }
}

TEST(CanonicalSecret, takes_what_only_begins_as_a_share_exactly_as_typed) {
    const std::string stem = "postern-share-";
    for (const auto& typed : {stem, stem + "1", stem + "1:", stem + "2:00000-00000", stem + stem,
                              "POSTERN-SHARE-" + stem + "1:"})
        EXPECT_EQ(canonical(typed), typed);
}

TEST(Strength, accepts_what_people_choose_well) {
    for (const std::string_view typed :
         {"tall giraffe 93", "Xk29!mPq0-Lw", "wir essen gern kuchen", "zwölf bäume",
          "maple-otter-violin", "12 monkeys at dawn"}) {
        EXPECT_TRUE(check_strength(secret_of(typed))) << typed;
    }
}

TEST(Strength, refuses_what_is_easy_to_guess) {
    for (const auto& typed :
         {std::string(), std::string("short"), std::string("elevenchars"), std::string(12, 'a'),
          std::string("abababababab"), std::string("abcabcabcabc"), std::string("abcdefabcdef"),
          std::string("aaaabbbbcccc"), std::string("112211221122"), std::string("123456789012"),
          std::string("abcdefghijklmnop"), std::string("zyxwvutsrqponm"),
          std::string("qwertyuiopasdf"), std::string("QWERTYUIOPASDF"), std::string("password1234"),
          std::string("PassWord1234"), std::string("correcthorsebatterystaple"),
          std::string("98765432109876"), std::string(k_shared_secret_bytes_max + 1, 'x')}) {
        EXPECT_EQ(code_of(check_strength(secret_of(typed))), "weak_secret") << typed;
    }
}

}  // namespace
}  // namespace postern::vault
