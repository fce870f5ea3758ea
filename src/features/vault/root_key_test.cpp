#include "features/vault/root_key.h"

#include "features/vault/crockford.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "platform/os/files.h"

#include <sys/stat.h>
#include <cstddef>
#include <string>
#include <utility>

namespace postern::vault {
namespace {

std::string share_text() {
    return text_of(recovery_text(filled_key(9)));
}

TEST(RootKey, file_holds_it_for_its_owner_only) {
    const TestFolder folder;
    const auto path = folder.file("root.key");
    const auto key = make_root_key();
    ASSERT_TRUE(write_root_key(path, key));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0400U);
    const auto read = read_root_key(path);
    ASSERT_TRUE(read);
    EXPECT_EQ(bytes_of(*read), bytes_of(key));
    EXPECT_FALSE(write_root_key(path, key));
}

TEST(RootKey, refuses_files_that_are_no_root_key) {
    const TestFolder folder;
    EXPECT_EQ(code_of(read_root_key(folder.file("missing"))), "file_not_found");
    for (const std::size_t size : {0, 31}) {
        const auto path = folder.file(std::to_string(size));
        ASSERT_TRUE(os::create_file(path, Bytes(size, 1), 0400));
        EXPECT_EQ(code_of(read_root_key(path)), "bad_root_key_file");
    }
    ASSERT_TRUE(os::create_file(folder.file("long"), Bytes(33, 1), 0400));
    EXPECT_FALSE(read_root_key(folder.file("long")));
    ASSERT_TRUE(os::create_file(folder.file("open"), Bytes(32, 1), 0444));
    EXPECT_EQ(code_of(read_root_key(folder.file("open"))), "file_too_open");
}

TEST(RootKey, fingerprint_tells_keys_apart_and_is_stable) {
    EXPECT_EQ(fingerprint(filled_key(1)).size(), 32U);
    EXPECT_EQ(fingerprint(filled_key(1)), fingerprint(filled_key(1)));
    EXPECT_NE(fingerprint(filled_key(1)), fingerprint(filled_key(2)));
}

TEST(RecoveryText, restores_the_root_key) {
    const auto text = recovery_text(filled_key(9));
    EXPECT_EQ(text_of(text).find("postern-recovery-1:"), 0U);
    const auto restored = root_key_from(text);
    ASSERT_TRUE(restored);
    EXPECT_EQ(bytes_of(*restored), Bytes(32, 9));
    for (int i = 0; i < 50; ++i) {
        const auto key = make_root_key();
        EXPECT_EQ(bytes_of(*root_key_from(recovery_text(key))), bytes_of(key));
    }
}

TEST(RecoveryText, reads_what_people_make_of_it) {
    const auto text = share_text();
    const auto colon = text.find(':') + 1;
    std::string upper;
    for (const char c : text)
        upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    std::string spaced = text;
    for (std::size_t i = colon; i < spaced.size(); ++i) {
        if (spaced[i] == '-') spaced[i] = ' ';
    }
    std::string bare = text.substr(0, colon);
    std::string confused = text.substr(0, colon);
    for (const char c : text.substr(colon)) {
        if (c != '-') bare += c;
        confused += c == '0' ? 'O' : c == '1' ? 'l' : c;
    }
    for (const auto& form : {upper, spaced, bare, confused, " \n" + text + "\n",
                             text.substr(0, colon) + " " + text.substr(colon)}) {
        const auto restored = root_key_from(secret_of(form));
        ASSERT_TRUE(restored) << form;
        EXPECT_EQ(bytes_of(*restored), Bytes(32, 9));
    }
}

TEST(RecoveryText, detects_every_changed_left_out_doubled_or_swapped_character) {
    const auto text = share_text();
    const auto colon = text.find(':') + 1;
    for (std::size_t i = colon; i < text.size(); ++i) {
        if (text[i] == '-') continue;
        auto changed = text;
        changed[i] = text[i] == 'k' ? 'm' : 'k';
        EXPECT_FALSE(root_key_from(secret_of(changed))) << i;
        EXPECT_FALSE(root_key_from(secret_of(text.substr(0, i) + text.substr(i + 1)))) << i;
        EXPECT_FALSE(root_key_from(secret_of(text.substr(0, i) + text[i] + text.substr(i)))) << i;
        if (i + 1 < text.size() && text[i] != text[i + 1] && text[i + 1] != '-') {
            auto swapped = text;
            std::swap(swapped[i], swapped[i + 1]);
            EXPECT_FALSE(root_key_from(secret_of(swapped))) << i;
        }
    }
}

TEST(RecoveryText, refuses_other_texts_with_a_telling_error) {
    for (const auto& other :
         {std::string(), std::string("postern-recovery-1:"), std::string("postern-recovery-2:x"),
          share_text().substr(1), share_text() + "0", share_text() + "u", std::string(5000, '0'),
          "postern-recovery-1:" + std::string(64, '0')}) {
        EXPECT_EQ(code_of(root_key_from(secret_of(other))), "bad_recovery_text") << other;
    }
}

TEST(RecoveryText, share_of_more_than_one_is_told_from_a_typo) {
    // version 1, k 2, n 3, index 1, with a right checksum.
    Bytes share{1, 2, 3, 1};
    share.insert(share.end(), 32, 9);
    Bytes summed = to_bytes("postern-recovery-1:");
    summed.insert(summed.end(), share.begin(), share.end());
    const auto sum = crypto::sha256(summed);
    share.insert(share.end(), sum.begin(), sum.begin() + 4);
    const auto text = "postern-recovery-1:" + text_of(crockford_text(Secret::copy_of(share)));
    EXPECT_EQ(code_of(root_key_from(secret_of(text))), "newer_recovery_text");
}

}  // namespace
}  // namespace postern::vault
