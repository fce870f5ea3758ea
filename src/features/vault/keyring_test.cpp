#include "features/vault/keyring.h"

#include "features/vault/keyring_store.h"
#include "features/vault/lru_cache.h"
#include "features/vault/message_keys.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_values_test.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "platform/keys/message_keys.h"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

const auto k_workspace = test_id<WorkspaceId>(1);
const auto k_lea = test_id<CreatorId>(1);
const auto k_tom = test_id<CreatorId>(2);
const auto k_ida = test_id<CreatorId>(3);

TEST(Keyring, opens_with_its_root_key_only_and_names_the_one_it_wants) {
    const auto made = Keyring::make(filled_key(1));
    ASSERT_TRUE(Keyring::open(filled_key(1), made.head));
    const auto wrong = Keyring::open(filled_key(2), made.head);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), "wrong_root_key");
    EXPECT_NE(wrong.error().detail().find(fingerprint(filled_key(1))), std::string::npos);
}

TEST(Keyring, refuses_changed_heads) {
    const auto made = Keyring::make(filled_key(1));
    const std::vector<std::function<void(KeyringHead&)>> changes = {
        [](auto& head) { head.keyring_wrap[30] ^= 1; },
        [](auto& head) { head.keyring_wrap.clear(); },
        [](auto& head) { head.version = 2; },
        [](auto& head) { head.receipt_wrap[30] ^= 1; },
        [](auto& head) { head.receipt_public[0] ^= 1; },
        [](auto& head) { std::swap(head.receipt_wrap, head.keyring_wrap); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto head = made.head;
        changes[i](head);
        EXPECT_EQ(code_of(Keyring::open(filled_key(1), head)), "keyring_damaged") << i;
    }
}

class KeyringTest : public ::testing::Test {
protected:
    KeyringTest() : keyring(*Keyring::open(filled_key(1), made.head)) {
        const auto row = keyring.make_workspace_key(k_workspace);
        POSTERN_CHECK(keyring.admit(WorkspaceKeyRows{row, {}, {}}).has_value());
        keys = keyring.workspace(k_workspace);
    }

    SubjectKeys subjects(std::initializer_list<CreatorId> creators) {
        SubjectKeys all;
        for (const auto& creator : creators) {
            if (!keyring.subject(k_workspace, creator)) {
                const auto row = Keyring::make_subject_key(*keys, k_workspace, creator);
                POSTERN_CHECK(keyring.admit(*keys, k_workspace, row).has_value());
            }
            all.emplace(creator, keyring.subject(k_workspace, creator));
        }
        return all;
    }

    static keys::KeyOpening opening_of(const keys::KeyRequest& request,
                                       const keys::SealedKey& sealed,
                                       std::size_t at) {
        keys::KeyOpening opening{request.column, request.row, request.mode, request.subjects,
                                 sealed.wraps.at(at)};
        if (request.mode == keys::WrapMode::each) opening.subjects = {request.subjects[at]};
        return opening;
    }

    NewKeyring made = Keyring::make(filled_key(1));
    Keyring keyring;
    std::shared_ptr<const WorkspaceKeys> keys;
};

TEST_F(KeyringTest, workspace_wrap_opens_for_its_own_workspace_only) {
    const auto refuses = [&](WorkspaceKeyRow row) {
        return !keyring.admit(WorkspaceKeyRows{std::move(row), {}, {}});
    };
    auto row = keyring.make_workspace_key(k_workspace);
    row.workspace = test_id<WorkspaceId>(9);
    EXPECT_TRUE(refuses(row));
    row = keyring.make_workspace_key(k_workspace);
    row.version = 2;
    EXPECT_TRUE(refuses(row));
    row = keyring.make_workspace_key(k_workspace);
    row.generation = 2;
    EXPECT_TRUE(refuses(row));
    EXPECT_FALSE(keyring.workspace(test_id<WorkspaceId>(9)));
}

TEST_F(KeyringTest, subject_wrap_opens_for_its_own_person_and_workspace_only) {
    auto row = Keyring::make_subject_key(*keys, k_workspace, k_lea);
    row.creator = k_tom;
    EXPECT_FALSE(keyring.admit(*keys, k_workspace, row));
    row = Keyring::make_subject_key(*keys, k_workspace, k_lea);
    EXPECT_FALSE(keyring.admit(*keys, test_id<WorkspaceId>(9), row));
    EXPECT_FALSE(keyring.subject(k_workspace, k_lea));
    EXPECT_TRUE(keyring.admit(*keys, k_workspace, row));
    keyring.forget(k_workspace, {k_lea});
    EXPECT_FALSE(keyring.subject(k_workspace, k_lea));
}

TEST_F(KeyringTest, key_wrapped_for_each_opens_with_any_one) {
    const auto all = subjects({k_lea, k_tom});
    const keys::KeyRequest request{12, {1, 2, 3}, keys::WrapMode::each, {k_lea, k_tom}};
    const auto sealed = seal_key(k_workspace, all, request);
    ASSERT_TRUE(sealed);
    ASSERT_EQ(sealed->wraps.size(), 2U);
    for (const std::size_t i : {0U, 1U}) {
        const auto alone = subjects({request.subjects[i]});
        EXPECT_EQ(bytes_of(open_key(k_workspace, alone, opening_of(request, *sealed, i))),
                  bytes_of(sealed->key));
    }
    auto crossed = opening_of(request, *sealed, 0);
    crossed.subjects = {k_tom};
    EXPECT_TRUE(open_key(k_workspace, all, crossed).empty());
}

TEST_F(KeyringTest, key_wrapped_for_all_needs_every_one_in_any_order) {
    const auto all = subjects({k_lea, k_tom, k_ida});
    const keys::KeyRequest request{12, {1}, keys::WrapMode::all, {k_tom, k_lea, k_ida}};
    const auto sealed = seal_key(k_workspace, all, request);
    ASSERT_TRUE(sealed);
    ASSERT_EQ(sealed->wraps.size(), 1U);
    auto opening = opening_of(request, *sealed, 0);
    opening.subjects = {k_ida, k_tom, k_lea};
    EXPECT_EQ(bytes_of(open_key(k_workspace, all, opening)), bytes_of(sealed->key));
    opening.subjects = {k_ida, k_tom, k_lea, k_lea};
    EXPECT_EQ(bytes_of(open_key(k_workspace, all, opening)), bytes_of(sealed->key));
    EXPECT_TRUE(open_key(k_workspace, subjects({k_lea, k_tom}), opening).empty());  // one erased
    for (const auto& fewer : {std::vector{k_lea, k_tom}, std::vector{k_lea}}) {
        opening.subjects = fewer;
        EXPECT_TRUE(open_key(k_workspace, all, opening).empty());
    }
}

TEST_F(KeyringTest, wrap_for_one_as_all_is_not_a_wrap_for_each) {
    const auto all = subjects({k_lea});
    keys::KeyRequest request{12, {1}, keys::WrapMode::all, {k_lea}};
    const auto sealed = seal_key(k_workspace, all, request);
    auto opening = opening_of(request, *sealed, 0);
    opening.mode = keys::WrapMode::each;
    EXPECT_TRUE(open_key(k_workspace, all, opening).empty());
}

TEST_F(KeyringTest, moved_or_changed_wraps_do_not_open) {
    const auto all = subjects({k_lea});
    const keys::KeyRequest request{12, {1, 2}, keys::WrapMode::each, {k_lea}};
    const auto sealed = seal_key(k_workspace, all, request);
    const auto opening = opening_of(request, *sealed, 0);
    ASSERT_FALSE(open_key(k_workspace, all, opening).empty());
    auto changed = opening;
    changed.column = 13;
    EXPECT_TRUE(open_key(k_workspace, all, changed).empty());
    changed = opening;
    changed.row = {1, 3};
    EXPECT_TRUE(open_key(k_workspace, all, changed).empty());
    changed = opening;
    changed.wrap[40] ^= 1;
    EXPECT_TRUE(open_key(k_workspace, all, changed).empty());
    changed.wrap.clear();
    EXPECT_TRUE(open_key(k_workspace, all, changed).empty());
    EXPECT_TRUE(open_key(test_id<WorkspaceId>(2), all, opening).empty());
    EXPECT_TRUE(open_key(k_workspace, {}, opening).empty());
}

TEST_F(KeyringTest, nothing_is_sealed_for_a_person_without_a_key) {
    const auto some = subjects({k_lea});
    for (const auto mode : {keys::WrapMode::each, keys::WrapMode::all}) {
        const keys::KeyRequest request{12, {1}, mode, {k_lea, k_tom}};
        EXPECT_EQ(code_of(seal_key(k_workspace, some, request)), "cannot_open");
    }
}

TEST(MessageKeys, unsound_requests_are_told) {
    const keys::KeyRequest good{1, {1}, keys::WrapMode::each, {k_lea}};
    EXPECT_TRUE(is_sound(good));
    auto bad = good;
    bad.row.clear();
    EXPECT_FALSE(is_sound(bad));
    bad = good;
    bad.row.resize(k_row_bytes_max + 1);
    EXPECT_FALSE(is_sound(bad));
    bad = good;
    bad.subjects.clear();
    EXPECT_FALSE(is_sound(bad));
    bad.subjects.assign(k_subjects_per_key_max + 1, k_lea);
    EXPECT_FALSE(is_sound(bad));
    bad = good;
    bad.mode = static_cast<keys::WrapMode>(7);
    EXPECT_FALSE(is_sound(bad));
    EXPECT_FALSE(is_sound(keys::KeyOpening{1, {1}, keys::WrapMode::each, {k_lea, k_tom}, {}}));
    EXPECT_TRUE(is_sound(keys::KeyOpening{1, {1}, keys::WrapMode::all, {k_lea, k_tom}, {}}));
}

TEST(LruCache, keeps_what_was_used_last) {
    LruCache<int, int> cache(2);
    cache.put(1, 10);
    cache.put(2, 20);
    ASSERT_NE(cache.find(1), nullptr);
    cache.put(3, 30);
    EXPECT_EQ(cache.find(2), nullptr);
    ASSERT_NE(cache.find(1), nullptr);
    EXPECT_EQ(*cache.find(1), 10);
    cache.put(1, 11);
    EXPECT_EQ(*cache.find(1), 11);
    EXPECT_EQ(cache.size(), 2U);
    cache.erase(1);
    cache.erase(1);
    EXPECT_EQ(cache.find(1), nullptr);
    EXPECT_EQ(cache.size(), 1U);
}

}  // namespace
}  // namespace postern::vault
