#include "features/vault/destined_service.h"

#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/ipc/peer.h"
#include "platform/keys/destined.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/operator.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::vault {
namespace {

constexpr std::uint16_t k_column = 305;

class DestinedServiceTest : public VaultTest {
protected:
    Bytes seal(std::string_view secret, std::string_view destination = "https://login.example") {
        keys::SealDestined asked{workspace, k_column, {1}, to_bytes(destination), typed(secret)};
        auto answer = keeper->ask(std::move(asked));
        EXPECT_TRUE(answer.has_value());
        return std::move(answer->sealed);
    }
    Result<keys::OpenDestined::Answer> open(keys::OpenDestined asked) {
        using Call = Keeper::Call<keys::OpenDestined>;
        return Call(*keeper, keeper->service->courier(), std::move(asked)).answer();
    }
    keys::OpenDestined opening(Bytes sealed) {
        return {workspace, k_column, {1}, std::move(sealed)};
    }
};

TEST_F(DestinedServiceTest, courier_gets_secret_and_destination) {
    const auto sealed = seal("a client's secret");
    start_keeper();
    const auto opened = open(opening(sealed));
    ASSERT_TRUE(opened);
    EXPECT_EQ(as_text(opened->destination), "https://login.example");
    EXPECT_EQ(bytes_of(opened->secret), to_bytes("a client's secret"));
}

TEST_F(DestinedServiceTest, opens_after_the_keys_were_rotated) {
    const auto sealed = seal("a client's secret");
    ASSERT_TRUE(keeper->ask_operator(keys::BeginRotation{true, true}));
    keeper->rotate();
    EXPECT_TRUE(open(opening(sealed)));
}

TEST_F(DestinedServiceTest, a_public_client_has_a_destination_alone) {
    const auto opened = open(opening(seal("")));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->secret.empty());
}

TEST_F(DestinedServiceTest, front_opens_it_in_no_way) {
    const auto sealed = seal("a client's secret");
    const auto asked = keeper->ask(opening(sealed));
    ASSERT_FALSE(asked);
    EXPECT_TRUE(asked.error().is(ipc::IpcError::unknown_method)) << asked.error().code();
    const auto record = keeper->ask(keys::OpenRecords{workspace, {{k_column, {1}, sealed}}});
    ASSERT_FALSE(record);
    EXPECT_TRUE(record.error().is(keys::KeyError::cannot_open));
}

TEST_F(DestinedServiceTest, nothing_that_was_moved_or_changed_opens) {
    const auto sealed = seal("a client's secret");
    auto elsewhere = opening(sealed);
    elsewhere.row = {2};
    EXPECT_FALSE(open(std::move(elsewhere)));
    auto another_column = opening(sealed);
    another_column.column = k_column + 1;
    EXPECT_FALSE(open(std::move(another_column)));
    auto changed = sealed;
    changed.back() = static_cast<std::uint8_t>(changed.back() ^ 1U);
    EXPECT_FALSE(open(opening(changed)));
    const auto record =
        keeper->ask(keys::SealRecords{workspace, {{k_column, {1}, to_bytes("https://evil")}}});
    ASSERT_TRUE(record);
    EXPECT_FALSE(open(opening(record->contents.front())));
}

TEST_F(DestinedServiceTest, sizes_are_bounded) {
    keys::SealDestined large{
        workspace, k_column, {1}, Bytes(keys::k_destination_bytes_max + 1), {}};
    EXPECT_FALSE(keeper->ask(std::move(large)));
    keys::SealDestined secret{workspace, k_column, {1}, {}, typed(std::string(1001, 'x'))};
    EXPECT_FALSE(keeper->ask(std::move(secret)));
}

}  // namespace
}  // namespace postern::vault
