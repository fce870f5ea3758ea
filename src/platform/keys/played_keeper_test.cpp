#include "platform/keys/played_keeper_test.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <utility>

namespace postern::keys::test {
namespace {

class PlayedKeeperTest : public ::testing::Test {
protected:
    PlayedKeeperTest() {
        keeper.router().on<SealRecords>([](SealRecords ask) { return answer(std::move(ask)); });
        keeper.router().on<OpenRecords>([](OpenRecords ask) { return answer(std::move(ask)); });
        keeper.router().on<ComputeMacs>([](ComputeMacs ask) { return answer(std::move(ask)); });
    }
    Result<Bytes> seal(std::uint16_t column) {
        return loop.run(seal_record(&keeper.link, workspace, column, to_bytes("row"),
                                    to_bytes("content"), net::test::soon()));
    }
    Result<Bytes> open(WorkspaceId owner, std::uint16_t column, const char* row, Bytes sealed) {
        return loop.run(open_record(&keeper.link, owner, column, to_bytes(row), std::move(sealed),
                                    net::test::soon()));
    }
    Bytes mac(WorkspaceId owner, MacPurpose purpose, const char* value) {
        return loop
            .run(compute_mac(&keeper.link, owner, purpose, to_bytes(value), net::test::soon()))
            .value();
    }

    net::test::Loop loop;
    PlayedPeer keeper{loop};
    WorkspaceId workspace = WorkspaceId::make(1);
    WorkspaceId other = WorkspaceId::make(2);
};

TEST_F(PlayedKeeperTest, a_record_opens_at_its_place_only) {
    const auto sealed = seal(0x0102).value();
    EXPECT_EQ(as_text(open(workspace, 0x0102, "row", sealed).value()), "content");
    for (const auto& opened :
         {open(other, 0x0102, "row", sealed), open(workspace, 0x0202, "row", sealed),
          open(workspace, 0x0103, "row", sealed), open(workspace, 0x0102, "Row", sealed)}) {
        ASSERT_FALSE(opened.has_value());
        EXPECT_TRUE(opened.error().is(KeyError::cannot_open));
    }
}

TEST_F(PlayedKeeperTest, macs_are_of_a_workspace_and_a_purpose) {
    const auto one = mac(workspace, MacPurpose::origin, "value");
    EXPECT_EQ(one, mac_of(workspace, MacPurpose::origin, as_bytes("value")));
    EXPECT_EQ(mac(workspace, MacPurpose::origin, "value"), one);
    EXPECT_NE(mac(other, MacPurpose::origin, "value"), one);
    EXPECT_NE(mac(workspace, MacPurpose::folder, "value"), one);
    EXPECT_NE(mac(workspace, MacPurpose::origin, "values"), one);
}

TEST_F(PlayedKeeperTest, can_be_lost_and_come_back) {
    ASSERT_TRUE(seal(1).has_value());
    keeper.lose();
    loop.settle();
    EXPECT_FALSE(seal(1).has_value());
    keeper.restart();
    EXPECT_TRUE(seal(1).has_value());
}

}  // namespace
}  // namespace postern::keys::test
