#include "features/vault/message_key_service.h"

#include "features/vault/opening_ceiling.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/message_keys.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::WrapMode;

class MessageKeyServiceTest : public VaultTest {
protected:
    MessageKeyServiceTest() {
        POSTERN_CHECK(keeper->ask(keys::CreateSubjects{workspace, {lea, tom}}).has_value());
    }

    Result<keys::SealedKey> seal_one(WrapMode mode,
                                     std::vector<CreatorId> people,
                                     Bytes row = {1}) {
        keys::SealKeys asked{workspace, {{12, std::move(row), mode, std::move(people)}}};
        auto answer = keeper->ask(std::move(asked));
        if (!answer) return fail(std::move(answer.error()));
        return std::move(answer->keys.at(0));
    }
    /// The key's bytes; empty where it does not open.
    Bytes open_one(WrapMode mode, std::vector<CreatorId> people, Bytes wrap, Bytes row = {1}) {
        keys::OpenKeys asked{
            workspace, 1, {{12, std::move(row), mode, std::move(people), std::move(wrap)}}};
        const auto answer = keeper->ask(std::move(asked));
        EXPECT_TRUE(answer.has_value());
        return bytes_of(answer->keys.at(0));
    }

    const CreatorId lea = test_id<CreatorId>(1);
    const CreatorId tom = test_id<CreatorId>(2);
};

TEST_F(MessageKeyServiceTest, keys_open_after_a_restart) {
    const auto each = seal_one(WrapMode::each, {lea, tom});
    const auto all = seal_one(WrapMode::all, {lea, tom});
    ASSERT_TRUE(each && all);
    start_keeper();
    EXPECT_EQ(open_one(WrapMode::each, {tom}, each->wraps.at(1)), bytes_of(each->key));
    EXPECT_EQ(open_one(WrapMode::all, {tom, lea}, all->wraps.at(0)), bytes_of(all->key));
    EXPECT_TRUE(open_one(WrapMode::each, {lea}, each->wraps.at(1)).empty());
    EXPECT_TRUE(open_one(WrapMode::each, {lea}, each->wraps.at(0), {2}).empty());
}

TEST_F(MessageKeyServiceTest, creating_again_keeps_the_keys) {
    const auto sealed = seal_one(WrapMode::each, {lea});
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{workspace}));
    ASSERT_TRUE(keeper->ask(keys::CreateSubjects{workspace, {lea, tom, lea}}));
    start_keeper();
    ASSERT_TRUE(keeper->ask(keys::CreateSubjects{workspace, {lea}}));
    EXPECT_EQ(open_one(WrapMode::each, {lea}, sealed->wraps[0]), bytes_of(sealed->key));
}

TEST_F(MessageKeyServiceTest, destroyed_person_is_erased_and_others_stay) {
    const auto each = seal_one(WrapMode::each, {lea, tom});
    const auto all = seal_one(WrapMode::all, {lea, tom});
    keeper->run(keeper->service->destroy_subjects(workspace, {lea}));
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(open_one(WrapMode::each, {lea}, each->wraps[0]).empty());
        EXPECT_TRUE(open_one(WrapMode::all, {lea, tom}, all->wraps[0]).empty());
        EXPECT_EQ(open_one(WrapMode::each, {tom}, each->wraps[1]), bytes_of(each->key));
        start_keeper();
    }
    EXPECT_EQ(code_of(seal_one(WrapMode::each, {lea})), "cannot_open");
    // A new key opens nothing that the old one closed.
    ASSERT_TRUE(keeper->ask(keys::CreateSubjects{workspace, {lea}}));
    EXPECT_TRUE(open_one(WrapMode::each, {lea}, each->wraps[0]).empty());
}

TEST_F(MessageKeyServiceTest, workspaces_have_nothing_in_common) {
    const auto sealed = seal_one(WrapMode::each, {lea});
    const auto record = keeper->ask(keys::SealRecords{workspace, {{5, {1}, {7}}}});
    const auto mac =
        keeper->ask(keys::ComputeMacs{workspace, keys::MacPurpose::creator_address, {{1, 2}}});
    workspace = test_id<WorkspaceId>(9);
    EXPECT_EQ(code_of(keeper->ask(keys::SealRecords{workspace, {}})), "cannot_open");
    EXPECT_EQ(code_of(keeper->ask(keys::CreateSubjects{workspace, {lea}})), "cannot_open");
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{workspace}));
    ASSERT_TRUE(keeper->ask(keys::CreateSubjects{workspace, {lea}}));
    EXPECT_TRUE(open_one(WrapMode::each, {lea}, sealed->wraps[0]).empty());
    EXPECT_EQ(
        code_of(keeper->ask(keys::OpenRecords{workspace, {{5, {1}, record->contents.at(0)}}})),
        "cannot_open");
    EXPECT_NE(keeper->ask(keys::ComputeMacs{workspace, keys::MacPurpose::creator_address, {{1, 2}}})
                  ->macs,
              mac->macs);
}

TEST_F(MessageKeyServiceTest, records_open_in_their_place_only) {
    const auto sealed =
        keeper->ask(keys::SealRecords{workspace, {{5, {1}, to_bytes("Maya")}, {5, {2}, {}}}});
    ASSERT_TRUE(sealed);
    const auto open = [&](std::uint16_t column, Bytes row, Bytes content) {
        return keeper->ask(
            keys::OpenRecords{workspace, {{column, std::move(row), std::move(content)}}});
    };
    EXPECT_EQ(open(5, {1}, sealed->contents[0])->contents.at(0), to_bytes("Maya"));
    EXPECT_TRUE(open(5, {2}, sealed->contents[1])->contents.at(0).empty());
    EXPECT_EQ(code_of(open(6, {1}, sealed->contents[0])), "cannot_open");
    EXPECT_EQ(code_of(open(5, {2}, sealed->contents[0])), "cannot_open");
    EXPECT_EQ(code_of(open(5, {1}, {})), "cannot_open");
    EXPECT_EQ(code_of(open(5, {}, sealed->contents[0])), "internal_error");
    start_keeper();
    EXPECT_TRUE(open(5, {1}, sealed->contents[0]));
}

TEST_F(MessageKeyServiceTest, each_mac_purpose_has_its_own_key) {
    std::vector<Bytes> seen;
    static_assert(static_cast<std::size_t>(keys::MacPurpose::origin) + 1 == keys::k_mac_purposes);
    for (std::size_t number = 0; number < keys::k_mac_purposes; ++number) {
        const auto purpose = static_cast<keys::MacPurpose>(number);
        const auto answer = keeper->ask(keys::ComputeMacs{workspace, purpose, {{1}, {1}, {2}}});
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->macs[0].size(), 32U);
        EXPECT_EQ(answer->macs[0], answer->macs[1]);
        EXPECT_NE(answer->macs[0], answer->macs[2]);
        EXPECT_EQ(std::ranges::count(seen, answer->macs[0]), 0);
        seen.push_back(answer->macs[0]);
        start_keeper();
        EXPECT_EQ(keeper->ask(keys::ComputeMacs{workspace, purpose, {{1}}})->macs[0], seen.back());
    }
    EXPECT_EQ(code_of(keeper->ask(keys::ComputeMacs{
                  workspace, static_cast<keys::MacPurpose>(keys::k_mac_purposes), {{1}}})),
              "internal_error");
}

TEST_F(MessageKeyServiceTest, seal_key_is_of_this_process) {
    const auto first = keeper->ask(keys::Identify{})->seal_key;
    EXPECT_EQ(first.size(), 32U);
    EXPECT_EQ(keeper->ask(keys::Identify{})->seal_key, first);
    start_keeper();
    EXPECT_NE(keeper->ask(keys::Identify{})->seal_key, first);
}

TEST_F(MessageKeyServiceTest, bounds_hold) {
    keys::SealKeys many{workspace, {}};
    many.requests.resize(MessageKeyService::k_requests_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(many))), "too_large");
    keys::OpenKeys open{workspace, 1, {}};
    open.openings.resize(MessageKeyService::k_openings_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(open))), "too_large");
    open = {workspace, 1, {{12, {1}, WrapMode::each, {}, {}}}};
    EXPECT_EQ(code_of(keeper->ask(std::move(open))), "internal_error");
    keys::SealKeys crowded{workspace, {}};
    crowded.requests.resize(201, {12, {1}, WrapMode::each, std::vector(100, lea)});
    EXPECT_EQ(code_of(keeper->ask(std::move(crowded))), "too_large");
    keys::CreateSubjects people{workspace, {}};
    people.subjects.resize(MessageKeyService::k_requests_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(people))), "too_large");
    keys::SealRecords records{workspace, {{1, {1}, Bytes((3 << 20) + 1)}}};
    EXPECT_EQ(code_of(keeper->ask(std::move(records))), "too_large");
    keys::ComputeMacs macs{workspace, keys::MacPurpose::request, {}};
    macs.values.resize(MessageKeyService::k_requests_max + 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(macs))), "too_large");
}

TEST_F(MessageKeyServiceTest, openings_are_bounded_by_the_minute) {
    const auto sealed = seal_one(WrapMode::each, {lea});
    keys::OpenKeys asked{workspace, 4, {}};
    asked.openings.resize(MessageKeyService::k_openings_max,
                          {12, {1}, WrapMode::each, {lea}, sealed->wraps[0]});
    clock.now = clock.now / 60'000 * 60'000;
    for (std::uint64_t i = 0; i < OpeningCeiling::k_handle_per_minute; i += 5000)
        ASSERT_TRUE(keeper->ask(asked));
    const auto refused = keeper->ask(asked);
    EXPECT_EQ(code_of(refused), "busy");
    EXPECT_EQ(refused.error().retry_after_s(), 60);
    asked.handle = 5;
    EXPECT_TRUE(keeper->ask(asked));
    asked.handle = 4;
    clock.advance_s(60);
    EXPECT_TRUE(keeper->ask(asked));
}

}  // namespace
}  // namespace postern::vault
