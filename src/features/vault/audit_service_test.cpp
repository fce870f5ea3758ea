#include "features/vault/audit_service.h"

#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/evolving_key.h"
#include "foundation/crypto/hash.h"
#include "platform/keys/audit_keys.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

class AuditServiceTest : public VaultTest {
protected:
    struct Segment {
        Bytes label;
        crypto::EvolvingKey key;
    };
    Segment open() {
        auto opened = keeper->ask(keys::OpenAuditSegment{workspace});
        EXPECT_TRUE(opened.has_value());
        return {opened->label, crypto::EvolvingKey(std::move(opened->key))};
    }
    static keys::AuditMac written(const Segment& segment, std::uint32_t step) {
        const auto digest = crypto::sha256(as_bytes("record " + std::to_string(step)));
        const auto mac = segment.key.mac(step, digest);
        return {segment.label, step, to_bytes(digest), to_bytes(mac)};
    }
    std::uint32_t good(std::vector<keys::AuditMac> macs) {
        auto checked = keeper->ask(keys::CheckAuditMacs{workspace, std::move(macs)});
        EXPECT_TRUE(checked.has_value());
        return checked ? checked->good : 0;
    }
    std::vector<keys::AuditMac> some(const Segment& segment) {
        std::vector<keys::AuditMac> macs;
        for (std::uint32_t step = 0; step < 5; ++step)
            macs.push_back(written(segment, step));
        return macs;
    }
};

TEST_F(AuditServiceTest, what_was_written_under_a_segment_is_known_again) {
    const auto first = open();
    const auto second = open();
    EXPECT_NE(first.label, second.label);
    auto macs = some(first);
    for (const auto& mac : some(second))
        macs.push_back(mac);
    EXPECT_EQ(good(macs), 10U);
    std::swap(macs.front(), macs.back());
    EXPECT_EQ(good(macs), 10U) << "in any order";
    EXPECT_EQ(good({}), 0U);
}

TEST_F(AuditServiceTest, what_was_changed_is_not) {
    const auto segment = open();
    const auto is_refused = [&](auto change) {
        auto macs = some(segment);
        change(macs[3]);
        return good(std::move(macs)) == 3;
    };
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.digest[0] ^= 1; }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.mac[31] ^= 1; }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.mac.clear(); }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.label[0] ^= 1; }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.label.clear(); }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { ++mac.step; }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.digest.pop_back(); }));
    EXPECT_TRUE(is_refused([](keys::AuditMac& mac) { mac.step = keys::k_audit_segment_steps; }));
}

TEST_F(AuditServiceTest, another_workspace_has_another_chain) {
    auto macs = some(open());
    const auto other = WorkspaceId::make(clock.now + 9);
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{other}));
    auto checked = keeper->ask(keys::CheckAuditMacs{other, std::move(macs)});
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->good, 0U);
}

TEST_F(AuditServiceTest, marks_are_known_again_and_nothing_else_is) {
    using Kind = keys::AuditMarkKind;
    const auto other = WorkspaceId::make(clock.now + 9);
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{other}));
    keys::AuditMark mark{42, Bytes(32, 7), 1'000, {}};
    mark.mac = keeper->ask(keys::MarkAudit{workspace, Kind::anchor, mark})->mac;
    const auto good = [&](WorkspaceId of, Kind kind, const keys::AuditMark& one) {
        auto checked = keeper->ask(keys::CheckAuditMarks{of, kind, {one}});
        return checked && checked->good == Bytes{1};
    };
    EXPECT_TRUE(good(workspace, Kind::anchor, mark));
    EXPECT_FALSE(good(workspace, Kind::base, mark));
    EXPECT_FALSE(good(other, Kind::anchor, mark));
    const auto is_refused = [&](auto change) {
        auto changed = mark;
        change(changed);
        return !good(workspace, Kind::anchor, changed);
    };
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { ++one.number; }));
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { ++one.at_ms; }));
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { one.record_mac[0] ^= 1; }));
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { one.record_mac.pop_back(); }));
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { one.mac[31] ^= 1; }));
    EXPECT_TRUE(is_refused([](keys::AuditMark& one) { one.mac.clear(); }));
    auto wrong = mark;
    wrong.mac.clear();
    auto mixed = keeper->ask(keys::CheckAuditMarks{workspace, Kind::anchor, {wrong, mark, wrong}});
    EXPECT_EQ(mixed->good, (Bytes{0, 1, 0}));
    for (const auto& refused :
         {keys::AuditMark{0, Bytes(32, 7), 1, {}}, keys::AuditMark{1, Bytes(31, 7), 1, {}}}) {
        EXPECT_FALSE(keeper->ask(keys::MarkAudit{workspace, Kind::base, refused}));
    }
    EXPECT_FALSE(
        keeper->ask(keys::MarkAudit{WorkspaceId::make(clock.now + 99), Kind::anchor, mark}));
    std::vector<keys::AuditMark> marks(AuditService::k_macs_max + 1);
    EXPECT_FALSE(keeper->ask(keys::CheckAuditMarks{workspace, Kind::anchor, std::move(marks)}));
}

TEST_F(AuditServiceTest, too_many_at_once_are_refused) {
    std::vector<keys::AuditMac> macs(AuditService::k_macs_max + 1);
    EXPECT_FALSE(keeper->ask(keys::CheckAuditMacs{workspace, std::move(macs)}));
}

}  // namespace
}  // namespace postern::vault
