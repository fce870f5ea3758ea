#include "platform/audit/chain_keys.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/audit/audit_error.h"
#include "platform/keys/audit_keys.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <optional>

namespace postern::audit {
namespace {

class ChainKeysTest : public testing::Test {
protected:
    void begin(std::string_view label) {
        keys.begin(workspace, to_bytes(label), Secret::copy_of(as_bytes(std::string(32, 'k'))));
    }
    Result<> link(const std::optional<StoredRecord>& before, StoredRecord& record) {
        return keys.link(workspace, before, record);
    }
    /// Writes `count` records after `last`.
    void write(int count) {
        for (int i = 0; i < count; ++i) {
            StoredRecord record;
            ASSERT_TRUE(link(last, record));
            keys.committed(workspace, record);
            last = record;
        }
    }

    ChainKeys keys;
    WorkspaceId workspace = WorkspaceId::make(1'000);
    std::optional<StoredRecord> last;
};

TEST_F(ChainKeysTest, nothing_is_linked_without_a_segment) {
    StoredRecord record;
    EXPECT_TRUE(link({}, record).error().is(AuditError::no_segment));
    EXPECT_FALSE(keys.has_room(workspace));
}

TEST_F(ChainKeysTest, records_count_on_and_steps_begin_anew_with_a_segment) {
    begin("one");
    write(3);
    EXPECT_EQ(last->number, 3);
    EXPECT_EQ(last->step, 2);
    begin("two");
    write(1);
    EXPECT_EQ(last->number, 4);
    EXPECT_EQ(last->step, 0);
    EXPECT_EQ(last->segment, to_bytes("two"));
}

TEST_F(ChainKeysTest, what_was_committed_is_never_written_anew) {
    begin("one");
    write(2);
    const auto second = last;
    write(1);
    StoredRecord again;
    EXPECT_TRUE(link(second, again).error().is(AuditError::rolled_back));
    EXPECT_TRUE(link({}, again).error().is(AuditError::rolled_back));
    begin("two");
    EXPECT_TRUE(link(second, again).error().is(AuditError::rolled_back)) << "nor under a new key";
}

TEST_F(ChainKeysTest, transaction_that_is_run_again_links_the_same) {
    begin("one");
    write(1);
    StoredRecord first, again;
    ASSERT_TRUE(link(last, first));
    ASSERT_TRUE(link(last, again));
    EXPECT_EQ(first.mac, again.mac);
}

TEST_F(ChainKeysTest, segment_is_replaced_before_it_is_full) {
    begin("one");
    EXPECT_TRUE(keys.has_room(workspace));
    StoredRecord record;
    record.segment = to_bytes("one");
    record.step = keys::k_audit_segment_steps - 1200;
    record.number = record.step + 1;
    keys.committed(workspace, record);
    EXPECT_TRUE(keys.has_room(workspace));
    last = record;
    write(200);
    EXPECT_FALSE(keys.has_room(workspace));
    write(999);
    EXPECT_EQ(last->step, keys::k_audit_segment_steps - 1);
    EXPECT_TRUE(link(last, record).error().is(AuditError::segment_full));
}

}  // namespace
}  // namespace postern::audit
