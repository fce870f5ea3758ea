#include "features/vault/root_key.h"

#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/operator.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_phrase = "grey heron on one leg";

os::Fd file_of(const Bytes& content) {
    auto file = os::empty_memory_file();
    POSTERN_CHECK(file && os::append(file->get(), content));
    return std::move(*file);
}

Bytes content_of(const os::Fd& file) {
    const auto content = os::read_secret(file.get(), 4096);
    POSTERN_CHECK(content.has_value());
    return bytes_of(*content);
}

/// What is written under a passphrase.
Bytes closed_file(std::string_view passphrase, std::uint8_t fill = 9) {
    const auto file = file_of({});
    POSTERN_CHECK(
        write_root_key(file.get(), filled_key(fill), secret_of(passphrase), k_cheap_cost));
    return content_of(file);
}

Result<Secret> read(const Bytes& content, std::string_view passphrase) {
    const auto file = file_of(content);
    return read_root_key(file.get(), secret_of(passphrase));
}

TEST(RootKey, without_a_passphrase_it_lies_in_its_file_as_it_is) {
    const auto file = file_of({});
    const auto key = make_root_key();
    ASSERT_TRUE(write_root_key(file.get(), key, Secret()));
    EXPECT_EQ(content_of(file), bytes_of(key));
    EXPECT_EQ(bytes_of(*read_root_key(file.get(), Secret())), bytes_of(key));
    EXPECT_EQ(bytes_of(*read_root_key(file.get(), secret_of("not asked for"))), bytes_of(key));
}

TEST(RootKey, opens_with_its_passphrase_alone) {
    const auto file = closed_file(k_phrase);
    EXPECT_EQ(bytes_of(*read(file, k_phrase)), Bytes(32, 9));
    for (const auto wrong : {"grey heron on one lef", "Grey heron on one leg", "x"}) {
        const auto refused = read(file, wrong);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), "wrong_root_key");
    }
    EXPECT_EQ(code_of(read(file, "")), "passphrase_needed");
}

TEST(RootKey, each_writing_has_a_salt_of_its_own_and_shows_no_key) {
    const auto first = closed_file(k_phrase);
    EXPECT_NE(first, closed_file(k_phrase));
    EXPECT_EQ(as_text(first).find(as_text(Bytes(32, 9))), std::string_view::npos);
}

TEST(RootKey, no_byte_of_its_file_can_be_changed) {
    const auto whole = closed_file(k_phrase);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        // The high bytes of the cost make it one that is not paid.
        auto changed = whole;
        changed[i] ^= 0x80;
        EXPECT_FALSE(read(changed, k_phrase)) << i;
    }
}

TEST(RootKey, refuses_files_that_are_no_root_key) {
    const auto whole = closed_file(k_phrase);
    auto longer = whole;
    longer.push_back(0);
    const Bytes shorter(whole.begin(), whole.end() - 1);
    for (const auto& content :
         {Bytes(), Bytes(31, 1), Bytes(33, 1), shorter, longer, Bytes(5000, 1)}) {
        EXPECT_EQ(code_of(read(content, k_phrase)), "bad_root_key_file") << content.size();
    }
}

TEST(RootKey, cost_in_the_file_is_bounded_before_it_is_paid) {
    const auto whole = closed_file(k_phrase);
    constexpr std::size_t k_passes_at = 19;
    constexpr std::size_t k_memory_at = 23;
    for (const std::size_t at : {k_passes_at, k_memory_at}) {
        for (const std::uint8_t value : {0x00, 0xff}) {
            auto changed = whole;
            for (std::size_t i = 0; i < 4; ++i)
                changed[at + i] = value;
            EXPECT_EQ(code_of(read(changed, k_phrase)), "bad_root_key_file") << at;
        }
    }
}

TEST(RootKey, weak_passphrases_are_refused) {
    for (const auto weak : {"short", "password1234", "aaaaaaaaaaaaaaaa"}) {
        const auto file = file_of({});
        EXPECT_EQ(code_of(write_root_key(file.get(), filled_key(9), secret_of(weak))),
                  "weak_secret");
        EXPECT_TRUE(content_of(file).empty());
    }
}

class RewrapTest : public VaultTest {};

TEST_F(RewrapTest, operator_gets_the_same_key_under_another_passphrase_or_none) {
    for (const std::string_view passphrase : {k_phrase, std::string_view()}) {
        const auto file = file_of({});
        keys::RewrapRootKey asked{*os::duplicate(file), secret_of(passphrase)};
        const auto answer = keeper->ask_operator(std::move(asked));
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->fingerprint, fingerprint(filled_key(root_fill)));
        EXPECT_EQ(bytes_of(*read_root_key(file.get(), secret_of(passphrase))),
                  Bytes(32, root_fill));
    }
    const auto file = file_of({});
    EXPECT_EQ(code_of(keeper->ask_operator(
                  keys::RewrapRootKey{*os::duplicate(file), secret_of("short")})),
              "weak_secret");
}

TEST(RootKey, fingerprint_tells_keys_apart_and_is_stable) {
    EXPECT_EQ(fingerprint(filled_key(1)).size(), 32U);
    EXPECT_EQ(fingerprint(filled_key(1)), fingerprint(filled_key(1)));
    EXPECT_NE(fingerprint(filled_key(1)), fingerprint(filled_key(2)));
}

}  // namespace
}  // namespace postern::vault
