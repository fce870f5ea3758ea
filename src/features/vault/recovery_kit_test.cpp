#include "features/vault/recovery_kit.h"

#include "features/vault/crockford.h"
#include "features/vault/keyring_store.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/keys/operator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

std::vector<std::string> texts_of(const RecoveryKit& kit) {
    std::vector<std::string> texts;
    for (const auto& share : kit.shares)
        texts.push_back(text_of(share));
    return texts;
}

Result<JoinedShares> join(const std::string& text) {
    return join_recovery_shares(secret_of(text));
}

std::string chosen(const std::vector<std::string>& texts, unsigned mask) {
    std::string text;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if ((mask >> i & 1U) != 0) text += texts[i] + "\n";
    }
    return text;
}

/// What issue 2 printed: version 1, k, n, index, the root key itself.
std::string first_version_text(const Secret& root_key, const Bytes& head = {1, 1, 1, 1}) {
    Bytes share = head;
    const auto key = bytes_of(root_key);
    share.insert(share.end(), key.begin(), key.end());
    Bytes summed = to_bytes("postern-recovery-1:");
    summed.insert(summed.end(), share.begin(), share.end());
    const auto sum = crypto::sha256(summed);
    share.insert(share.end(), sum.begin(), sum.begin() + 4);
    return "postern-recovery-1:" + text_of(crockford_text(Secret::copy_of(share)));
}

TEST(RecoveryKit, every_subset_of_the_threshold_restores_and_fewer_are_refused) {
    const auto kit = make_recovery_kit({.shares = 4, .threshold = 3});
    const auto texts = texts_of(kit);
    for (unsigned mask = 1; mask < 16; ++mask) {
        const auto joined = join(chosen(texts, mask));
        if (__builtin_popcount(mask) >= 3) {
            ASSERT_TRUE(joined) << mask;
            EXPECT_EQ(joined->kit->public_key, kit.public_key) << mask;
        } else {
            ASSERT_EQ(code_of(joined), "shares_do_not_fit") << mask;
            EXPECT_NE(joined.error().detail().find("needs 3"), std::string::npos);
        }
    }
}

TEST(RecoveryKit, order_does_not_matter) {
    const auto texts = texts_of(make_recovery_kit({.shares = 3, .threshold = 2}));
    EXPECT_TRUE(join(texts[2] + " " + texts[0]));
}

TEST(RecoveryKit, share_given_twice_and_shares_of_two_kits_are_refused) {
    const auto texts = texts_of(make_recovery_kit({.shares = 3, .threshold = 2}));
    const auto others = texts_of(make_recovery_kit({.shares = 3, .threshold = 2}));
    const auto larger = texts_of(make_recovery_kit({.shares = 3, .threshold = 3}));
    for (const auto& text :
         {texts[0] + "\n" + texts[0], texts[0] + "\n" + texts[1] + "\n" + texts[1],
          texts[0] + "\n" + others[1], texts[0] + "\n" + texts[1] + "\n" + others[2],
          texts[0] + "\n" + larger[1]}) {
        EXPECT_EQ(code_of(join(text)), "shares_do_not_fit");
    }
}

TEST(RecoveryKit, forged_share_with_a_right_checksum_is_refused) {
    const auto texts = texts_of(make_recovery_kit({.shares = 2, .threshold = 2}));
    const std::string prefix = "postern-recovery-2:";
    auto raw = bytes_of(*crockford_bytes(as_bytes(texts[1].substr(prefix.size())), 47));
    raw[20] ^= 1;
    Bytes summed = to_bytes(prefix);
    summed.insert(summed.end(), raw.begin(), raw.end() - 4);
    const auto sum = crypto::sha256(summed);
    std::copy_n(sum.begin(), 4, raw.end() - 4);
    const auto forged = prefix + text_of(crockford_text(Secret::copy_of(raw)));
    const auto joined = join(texts[0] + "\n" + forged);
    EXPECT_EQ(code_of(joined), "shares_do_not_fit");
}

TEST(RecoveryKit, share_is_read_as_people_write_it) {
    const auto text = texts_of(make_recovery_kit({}))[0];
    const auto colon = text.find(':') + 1;
    std::string upper;
    for (const char c : text)
        upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    std::string spaced = text;
    for (std::size_t i = colon; i < spaced.size(); ++i) {
        if (spaced[i] == '-') spaced[i] = i % 4 == 0 ? '\n' : ' ';
    }
    std::string bare = text.substr(0, colon);
    std::string confused = text.substr(0, colon);
    for (const char c : text.substr(colon)) {
        if (c != '-') bare += c;
        confused += c == '0' ? 'O' : c == '1' ? 'l' : c;
    }
    for (const auto& form : {upper, spaced, bare, confused, " \r\n" + text + "\n",
                             text.substr(0, colon) + " " + text.substr(colon)}) {
        EXPECT_TRUE(join(form)) << form;
    }
}

TEST(RecoveryKit, every_changed_left_out_doubled_or_swapped_character_is_found) {
    const auto text = texts_of(make_recovery_kit({.shares = 2, .threshold = 2}))[0];
    const auto colon = text.find(':') + 1;
    for (std::size_t i = colon; i < text.size(); ++i) {
        if (text[i] == '-') continue;
        std::vector<std::string> wrong{text, text.substr(0, i) + text.substr(i + 1),
                                       text.substr(0, i) + text[i] + text.substr(i)};
        wrong[0][i] = text[i] == 'k' ? 'm' : 'k';
        if (i + 1 < text.size() && text[i] != text[i + 1] && text[i + 1] != '-') {
            wrong.push_back(text);
            std::swap(wrong.back()[i], wrong.back()[i + 1]);
        }
        for (const auto& each : wrong) {
            const auto joined = join(text + "\n" + each);
            ASSERT_EQ(code_of(joined), "bad_recovery_text") << i;
            EXPECT_NE(joined.error().detail().find("number 2"), std::string::npos);
        }
    }
}

TEST(RecoveryKit, other_texts_are_refused_with_a_telling_error) {
    const auto text = texts_of(make_recovery_kit({}))[0];
    for (const auto& other :
         {std::string(), std::string("\n"), std::string("postern-recovery-1:"),
          std::string("postern-recovery-2:x"), text.substr(1), text + "0", text + "u",
          "share " + text, std::string(9000, '0'), "postern-recovery-2:" + std::string(76, '0'),
          first_version_text(filled_key(9)) + "\n" + text}) {
        EXPECT_EQ(code_of(join(other)), "bad_recovery_text") << other;
    }
    EXPECT_EQ(code_of(join("postern-recovery-3:abcde")), "newer_recovery_text");
}

TEST(RecoveryKit, line_of_the_first_version_still_gives_the_root_key) {
    const auto joined = join("\n" + first_version_text(filled_key(9)) + "\n");
    ASSERT_TRUE(joined);
    EXPECT_FALSE(joined->kit);
    EXPECT_EQ(bytes_of(joined->root_key), Bytes(32, 9));
    EXPECT_EQ(code_of(join(first_version_text(filled_key(9), {1, 2, 3, 1}))),
              "newer_recovery_text");
    auto typo = first_version_text(filled_key(9));
    typo.back() = typo.back() == 'k' ? 'm' : 'k';
    EXPECT_EQ(code_of(join(typo)), "bad_recovery_text");
}

class KitTest : public VaultTest {
protected:
    Result<keys::MakeRecoveryKit::Answer> make(std::uint8_t shares, std::uint8_t threshold) {
        return keeper->ask_operator(keys::MakeRecoveryKit{shares, threshold});
    }
    RecoveryKitRow stored() {
        keeper.reset();
        RecoveryKitRow row;
        {
            const auto store = keyring_store_of(folder);
            row = **(*store)->recovery_kit();
        }
        start_keeper();
        return row;
    }
};

TEST_F(KitTest, joined_shares_open_the_root_key_that_the_keyring_holds_for_them) {
    const auto made = make(3, 2);
    ASSERT_TRUE(made);
    ASSERT_EQ(made->shares.size(), 3U);
    const auto joined = join(text_of(made->shares[0]) + text_of(made->shares[2]));
    ASSERT_TRUE(joined);
    const auto row = stored();
    EXPECT_EQ(row.scheme, (crypto::SharingScheme{3, 2}));
    EXPECT_EQ(bytes_of(*crypto::box_open(*joined->kit, row.root_key_box)), Bytes(32, root_fill));
    EXPECT_FALSE(folder.holds(joined->kit->public_key));
}

TEST_F(KitTest, new_kit_makes_the_shares_before_it_useless_and_leaves_nothing_of_it) {
    const auto before = make(1, 1);
    const auto old_row = stored();
    ASSERT_TRUE(make(2, 2));
    const auto old = join(text_of(before->shares[0]));
    ASSERT_TRUE(old);
    EXPECT_FALSE(crypto::box_open(*old->kit, stored().root_key_box));
    EXPECT_FALSE(folder.holds(old_row.root_key_box));
}

TEST_F(KitTest, schemes_that_are_none_are_refused) {
    for (const auto& [shares, threshold] :
         {std::pair(0, 0), std::pair(1, 0), std::pair(2, 3), std::pair(3, 1), std::pair(17, 2)}) {
        EXPECT_EQ(
            code_of(make(static_cast<std::uint8_t>(shares), static_cast<std::uint8_t>(threshold))),
            "bad_scheme");
    }
}

TEST_F(KitTest, front_and_courier_cannot_ask_for_it) {
    EXPECT_FALSE(keeper->ask(keys::MakeRecoveryKit{1, 1}));
}

}  // namespace
}  // namespace postern::vault
